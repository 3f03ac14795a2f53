import { describe, expect, it } from 'vitest'
import { errorOf, pidOf, poolsOf, type Subject } from './subject.js'

/** What values of JavaScript become in PostgreSQL. */
export function parameters(subject: Subject): void {
  const open = poolsOf(subject)

  /** The parameter as the server has it, in the text form of the type. */
  async function sent(type: string, parameter: unknown): Promise<unknown> {
    const { rows } = await open().query(`select $1::${type}::text as sent`, [parameter])
    return rows[0].sent
  }

  describe('a parameter', () => {
    it.each<[string, string, unknown, string | null]>([
      ['null', 'text', null, null],
      ['undefined', 'text', undefined, null],
      ['a string', 'text', `it's "quoted" \\ ñ`, `it's "quoted" \\ ñ`],
      ['an empty string', 'text', '', ''],
      ['a number', 'int', 42, '42'],
      ['a fraction', 'float8', 1.25, '1.25'],
      ['NaN', 'float8', Number.NaN, 'NaN'],
      ['a bigint', 'int8', 9_223_372_036_854_775_807n, '9223372036854775807'],
      ['true', 'bool', true, 'true'],
      ['false', 'bool', false, 'false'],
      ['an object', 'jsonb', { a: [1, null], b: 'x' }, '{"a": [1, null], "b": "x"}'],
      ['a text of JSON', 'jsonb', '[1, 2]', '[1, 2]'],
      ['an array of numbers', 'int[]', [1, 2, 3], '{1,2,3}'],
      ['an empty array', 'int[]', [], '{}'],
      ['an array with null and undefined', 'int[]', [1, null, undefined], '{1,NULL,NULL}'],
      [
        'an array of arrays',
        'int[]',
        [
          [1, 2],
          [3, 4],
        ],
        '{{1,2},{3,4}}',
      ],
      [
        'an array of strings',
        'text[]',
        ['a,b', 'say "x"', 'back\\slash', ''],
        '{"a,b","say \\"x\\"","back\\\\slash",""}',
      ],
      ['an array of objects', 'jsonb[]', [{ a: 1 }], '{"{\\"a\\": 1}"}'],
      ['an array of bytes', 'bytea[]', [Buffer.from([1, 255])], '{"\\\\x01ff"}'],
      ['a Buffer', 'bytea', Buffer.from([0, 255, 16]), '\\x00ff10'],
      ['a Uint8Array', 'bytea', new Uint8Array([1, 2]), '\\x0102'],
      ['a part of an ArrayBuffer', 'bytea', new Uint8Array(new Uint8Array([1, 2, 3, 4]).buffer, 1, 2), '\\x0203'],
    ])('may be %s', async (_, type, parameter, expected) => {
      expect(await sent(type, parameter)).toBe(expected)
    })

    it('may be a Date: the same instant arrives', async () => {
      const date = new Date('2026-03-01T12:30:00.123Z')
      const { rows } = await open().query(`select $1::timestamptz as at, $1::timestamptz = $2::timestamptz as same`, [
        date,
        '2026-03-01T12:30:00.123Z',
      ])
      expect(rows).toEqual([{ at: date, same: true }])
    })

    it('may be a Date of the years 0099 and 99 before Christ', async () => {
      const early = new Date(Date.UTC(2000, 0, 1))
      early.setUTCFullYear(99)
      const before = new Date(early)
      before.setUTCFullYear(-98)
      const { rows } = await open().query('select $1::timestamptz as early, $2::timestamptz as before', [early, before])
      expect(rows).toEqual([{ early, before }])
    })

    it('comes back as it was sent, through json and arrays', async () => {
      const body = { list: [1, 'two', { three: 3 }], nothing: null, ñ: '💶' }
      const { rows } = await open().query('select $1::jsonb as body, $2::text[] as names', [body, ['ñ', '💶', null]])
      expect(rows).toEqual([{ body, names: ['ñ', '💶', null] }])
    })

    it('that is an object is asked for its toPostgres', async () => {
      const money = { cents: 1234, toPostgres: () => '12.34' }
      expect(await sent('numeric', money)).toBe('12.34')
    })

    it('may use prepareValue in its toPostgres, and give another object with one', async () => {
      const range = {
        toPostgres: (prepare: (value: unknown) => unknown) => `[${prepare(1)},${prepare({ toPostgres: () => 5 })})`,
      }
      expect(await sent('int4range', { toPostgres: () => range })).toBe('[1,5)')
    })

    it('is asked for its toPostgres in an array too', async () => {
      expect(await sent('int[]', [{ toPostgres: () => 1 }, { toPostgres: () => '2' }])).toBe('{1,2}')
    })

    it('that gives itself from toPostgres fails the query', async () => {
      const circular = {
        toPostgres(): unknown {
          return circular
        },
      }
      expect((await errorOf(open().query('select $1', [circular]))).message).toMatch(/circular reference/)
    })

    it('whose toPostgres throws fails its query with that error, and spoils neither client nor pool', async () => {
      const reason = new Error('no price yet')
      const broken = {
        toPostgres() {
          throw reason
        },
      }
      const pool = open({ max: 1 })
      expect((await errorOf(pool.query('select $1::int', [broken]))).message).toBe('no price yet')
      const client = await pool.connect()
      const pid = await pidOf(client)
      expect(await errorOf(client.query('select $1::int', [broken]))).toBe(reason)
      expect((await client.query('select $1::int as n', [5])).rows).toEqual([{ n: 5 }])
      expect(await pidOf(client)).toBe(pid)
      client.release()
    })

    it('that JSON cannot hold fails its query with that error', async () => {
      const circular: Record<string, unknown> = {}
      circular['self'] = circular
      expect((await errorOf(open().query('select $1::jsonb', [circular]))).message).toMatch(/circular/)
    })

    it('may be one of thousands', async () => {
      const numbers = Array.from({ length: 5_000 }, (_, index) => index)
      const list = numbers.map((n) => `$${n + 1}::int`).join(', ')
      const { rows } = await open().query(
        `select (select sum(v) from (values (${list.replaceAll(', ', '), (')})) as t (v))::int as s`,
        numbers,
      )
      expect(rows).toEqual([{ s: 12_497_500 }])
    })

    it('too many or too few are refused by the server', async () => {
      expect(await errorOf(open().query('select $1::int', [1, 2]))).toMatchObject({ code: '08P01' })
      expect(await errorOf(open().query('select $1::int, $2::int', [1]))).toMatchObject({ code: '08P01' })
    })

    it('that the type does not take is refused by the server', async () => {
      expect(await errorOf(open().query('select $1::int', ['one']))).toMatchObject({ code: '22P02' })
      expect(await errorOf(open().query('select $1::text', ['a\u0000b']))).toMatchObject({ code: '22021' })
    })
  })
}
