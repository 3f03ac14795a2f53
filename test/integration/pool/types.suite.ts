import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { poolsOf, type Subject } from './subject.js'

const int8 = pg.types.builtins.INT8
const numeric = pg.types.builtins.NUMERIC

type Parser = (value: string) => unknown

/** What values of PostgreSQL become in JavaScript. */
export function types(subject: Subject): void {
  const open = poolsOf(subject)

  async function value(expression: string, pool = open()): Promise<unknown> {
    const { rows } = await pool.query({ text: `select ${expression}`, rowMode: 'array' })
    return rows[0]?.[0]
  }

  describe('a value', () => {
    it.each<[string, unknown]>([
      ['null::int4', null],
      ['(-7)::int2', -7],
      ['2147483647::int4', 2_147_483_647],
      ['7::oid', 7],
      ['1.5::float4', 1.5],
      ['0.1::float8', 0.1],
      [`'NaN'::float8`, Number.NaN],
      [`'-Infinity'::float8`, Number.NEGATIVE_INFINITY],
      ['true', true],
      ['false', false],
      [`'ñandú'::text`, 'ñandú'],
      [`'abc'::char(5)`, 'abc  '],
      [`'5f1d7e84-3c1a-4a37-9f0e-0f3a4c1c8f55'::uuid`, '5f1d7e84-3c1a-4a37-9f0e-0f3a4c1c8f55'],
      [`'{"a": [1, null, "x"]}'::json`, { a: [1, null, 'x'] }],
      [`'{"b": {"c": true}}'::jsonb`, { b: { c: true } }],
      [`'"just text"'::jsonb`, 'just text'],
      [`'null'::jsonb`, null],
      ['current_user::name', 'postgres'],
      [`'(1.5,-2)'::point`, { x: 1.5, y: -2 }],
      [`'10.0.0.1/8'::inet`, '10.0.0.1/8'],
      [`'13:14:15'::time`, '13:14:15'],
      [`'infinity'::timestamptz`, Number.POSITIVE_INFINITY],
      [`'-infinity'::timestamp`, Number.NEGATIVE_INFINITY],
    ])('is %s: %j', async (expression, expected) => {
      expect(await value(expression)).toEqual(expected)
    })

    it.each([
      ['9223372036854775807::int8', '9223372036854775807'],
      ['count(*) from generate_series(1, 3)', '3'],
      ['123456789012345678901234567890.123::numeric', '123456789012345678901234567890.123'],
      [`'12.34'::money`, '$12.34'],
      [`'4294967295'::xid`, '4294967295'],
    ])('that a number cannot hold for sure is a string: %s', async (expression, expected) => {
      expect(await value(expression)).toEqual(expected)
    })

    it.each<[string, unknown]>([
      [`'{}'::int4[]`, []],
      [`'{1,NULL,3}'::int4[]`, [1, null, 3]],
      [
        `'{{1,2},{3,4}}'::int4[]`,
        [
          [1, 2],
          [3, 4],
        ],
      ],
      [`array['a,b', 'say "x"', 'back\\slash', '', 'NULL', null]`, ['a,b', 'say "x"', 'back\\slash', '', 'NULL', null]],
      ['array[true, false]', [true, false]],
      [`'{9223372036854775807}'::int8[]`, ['9223372036854775807']],
      [`array['{"a": 1}', '[2]']::jsonb[]`, [{ a: 1 }, [2]]],
      [`array['\\x00ff'::bytea]`, [Buffer.from([0, 255])]],
    ])('is an array: %s', async (expression, expected) => {
      expect(await value(expression)).toEqual(expected)
    })

    it('is a Buffer for bytea', async () => {
      const bytes = await value(`'\\x00ff10'::bytea`)
      expect(bytes).toBeInstanceOf(Buffer)
      expect(bytes).toEqual(Buffer.from([0, 255, 16]))
    })

    it('is a Date of the same instant for timestamptz, whatever the zone of the session', async () => {
      const pool = open({ options: '-c timezone=Asia/Tokyo' })
      const seen = await value(`'2026-03-01 12:30:00.123+00'::timestamptz`, pool)
      expect(seen).toEqual(new Date('2026-03-01T12:30:00.123Z'))
    })

    it('is a Date in the zone of the process for date and timestamp', async () => {
      expect(await value(`'2026-03-01'::date`)).toEqual(new Date(2026, 2, 1))
      expect(await value(`'2026-03-01 12:30:01'::timestamp`)).toEqual(new Date(2026, 2, 1, 12, 30, 1))
    })

    it('is an object for interval', async () => {
      const seen = await value(`'1 year 2 mons 3 days 04:05:06.007'::interval`)
      expect({ ...(seen as object) }).toEqual({
        years: 1,
        months: 2,
        days: 3,
        hours: 4,
        minutes: 5,
        seconds: 6,
        milliseconds: 7,
      })
    })

    it('of a row or range type is its text', async () => {
      expect(await value(`row(1, 'x')`)).toBe('(1,x)')
      expect(await value(`'[1,5)'::int4range`)).toBe('[1,5)')
    })
  })

  describe('type parsers', () => {
    it('of pg.types hold for all pools, those that are connected already included', async () => {
      const pool = open({ max: 1 })
      expect(await value('1::int8', pool)).toBe('1')
      const before = pg.types.getTypeParser(int8) as Parser
      pg.types.setTypeParser(int8, BigInt)
      try {
        expect(await value('9223372036854775807::int8', pool)).toBe(9_223_372_036_854_775_807n)
      } finally {
        pg.types.setTypeParser(int8, before)
      }
      expect(await value('1::int8', pool)).toBe('1')
    })

    it('of a client hold for this client alone', async () => {
      const pool = open()
      const [mine, other] = await Promise.all([pool.connect(), pool.connect()])
      mine.setTypeParser(numeric, Number.parseFloat)
      expect((mine.getTypeParser(numeric) as Parser)('1.5')).toBe(1.5)
      const text = 'select 1.5::numeric as n'
      const rows = [(await mine.query(text)).rows[0], (await other.query(text)).rows[0]]
      mine.release(true)
      other.release()
      expect(rows).toEqual([{ n: 1.5 }, { n: '1.5' }])
    })

    it('of the options hold for the pool', async () => {
      const own: pg.CustomTypesConfig = {
        getTypeParser: ((oid: number, format?: 'text') =>
          oid === int8 ? BigInt : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
      }
      const pool = open({ types: own })
      expect(await value('5::int8', pool)).toBe(5n)
      expect(await value('5::int4', pool)).toBe(5)
      const client = await pool.connect()
      expect((await client.query('select 6::int8 as n')).rows).toEqual([{ n: 6n }])
      client.release()
    })

    it('may be set on the client of each new connection', async () => {
      const pool = open({ max: 2 })
      pool.on('connect', (client) => client.setTypeParser(int8, Number))
      expect(await value('5::int8', pool)).toBe(5)
      expect(await value('(6 + 0 * pg_backend_pid())::int8', pool)).toBe(6)
    })

    it('parseInt8 of pg.defaults is for int8 and its arrays', async () => {
      const pool = open()
      pg.defaults.parseInt8 = true
      try {
        expect(await value('5::int8', pool)).toBe(5)
        expect(await value(`'{5,NULL}'::int8[]`, pool)).toEqual([5, null])
      } finally {
        pg.defaults.parseInt8 = false
      }
      expect(await value('5::int8', pool)).toBe('5')
    })
  })
}
