import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { called, errorOf, poolsOf, type Subject, until } from './subject.js'

type Outcome = readonly [Error | undefined | null, pg.QueryResult | undefined]

const asStrings: pg.CustomTypesConfig = { getTypeParser: () => (value: string) => `<${value}>` }

/** The overloads of `pool.query`. */
export function poolQueries(subject: Subject): void {
  describe('pool.query', () => {
    const open = poolsOf(subject)

    it('takes a text and gives a promise of the result', async () => {
      const result = await open().query('select 1 as one')
      expect(result.rows).toEqual([{ one: 1 }])
    })

    it('takes a text and values', async () => {
      const result = await open().query('select $1::text as name, $2::int as age', ['ada', 36])
      expect(result.rows).toEqual([{ name: 'ada', age: 36 }])
    })

    it('takes a text and a callback, and then returns nothing', async () => {
      const pool = open()
      let returned: unknown = 'nothing was returned yet'
      const [error, result] = await called<Outcome>((callback) => {
        returned = pool.query('select 1 as one', callback)
      })
      expect(returned).toBeUndefined()
      expect(error).toBeFalsy()
      expect(result?.rows).toEqual([{ one: 1 }])
    })

    it('takes a text, values and a callback', async () => {
      const pool = open()
      const [error, result] = await called<Outcome>((callback) =>
        pool.query('select $1::text as name', ['ada'], callback),
      )
      expect(error).toBeFalsy()
      expect(result?.rows).toEqual([{ name: 'ada' }])
    })

    it('takes a config object with text and values', async () => {
      const result = await open().query({ text: 'select $1::int + 1 as next', values: [41] })
      expect(result.rows).toEqual([{ next: 42 }])
    })

    it('takes a config object and values beside it', async () => {
      const result = await open().query({ text: 'select $1::int + 1 as next' }, [41])
      expect(result.rows).toEqual([{ next: 42 }])
    })

    it('takes a config object and a callback', async () => {
      const pool = open()
      const [error, result] = await called<Outcome>((callback) =>
        pool.query({ text: 'select $1::int + 1 as next', values: [41] }, callback),
      )
      expect(error).toBeFalsy()
      expect(result?.rows).toEqual([{ next: 42 }])
    })

    it('takes a config object that cannot be changed, again and again', async () => {
      const pool = open()
      const config = Object.freeze({ text: 'select $1::int as n', values: Object.freeze([7]) as number[] })
      expect((await pool.query(config)).rows).toEqual([{ n: 7 }])
      expect((await pool.query(config)).rows).toEqual([{ n: 7 }])
    })

    it('gives rows as arrays where rowMode says so', async () => {
      const result = await open().query({
        text: 'select 1 as a, 2 as a, $1::text as b',
        values: ['x'],
        rowMode: 'array',
      })
      expect(result.rows).toEqual([[1, 2, 'x']])
      expect(result.fields.map((field) => field.name)).toEqual(['a', 'a', 'b'])
    })

    it('gives rows as arrays to a callback', async () => {
      const pool = open()
      const [, result] = await called<readonly [Error | undefined, pg.QueryArrayResult | undefined]>((callback) =>
        pool.query({ text: 'select 1, 2', rowMode: 'array' }, callback),
      )
      expect(result?.rows).toEqual([[1, 2]])
    })

    it('parses the values of one query with the types of its config', async () => {
      const pool = open()
      const text = 'select 1 as n, $1::text as t'
      expect((await pool.query({ text, values: ['x'], types: asStrings })).rows).toEqual([{ n: '<1>', t: '<x>' }])
      expect((await pool.query({ text, values: ['x'] })).rows).toEqual([{ n: 1, t: 'x' }])
    })

    it('runs a named statement with other values, on any of its connections', async () => {
      const pool = open({ max: 3 })
      const run = (n: number) => pool.query({ name: 'double', text: 'select $1::int * 2 as twice', values: [n] })
      const results = await Promise.all([1, 2, 3, 4, 5, 6].map(run))
      expect(results.map((result) => result.rows[0])).toEqual([2, 4, 6, 8, 10, 12].map((twice) => ({ twice })))
    })

    it('takes a Query object: its events, and a promise of the result', async () => {
      const query = new pg.Query('select n from generate_series(1, 3) as n')
      const rows: unknown[] = []
      query.on('row', (row) => rows.push(row))
      const result: unknown = await open().query(query)
      expect(rows).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
      expect(result).toMatchObject({ command: 'SELECT', rowCount: 3 })
    })

    it('gives an array of results for several statements in one text', async () => {
      const results: unknown = await open().query(`select 1 as a; select 'x' as b where false; select 2 as c, 3 as d`)
      expect(results).toMatchObject([
        { command: 'SELECT', rows: [{ a: 1 }] },
        { command: 'SELECT', rows: [] },
        { command: 'SELECT', rows: [{ c: 2, d: 3 }] },
      ])
    })

    it('lets the server refuse several statements with values', async () => {
      await expect(open().query('select $1::int; select 2', [1])).rejects.toMatchObject({ code: '42601' })
    })

    it('uses the extended protocol without values where queryMode says so', async () => {
      const pool = open()
      const extended = (text: string) => pool.query({ text, queryMode: 'extended' } as pg.QueryConfig)
      expect((await extended('select 1 as one')).rows).toEqual([{ one: 1 }])
      await expect(extended('select 1; select 2')).rejects.toMatchObject({ code: '42601' })
    })

    it('gets values in binary where the config says so', async () => {
      const result = await open().query({ text: 'select $1::int4 as n', values: [258], binary: true } as pg.QueryConfig)
      expect(result.rows).toEqual([{ n: 258 }])
      expect(result.fields[0]?.format).toBe('binary')
    })

    it('fetches in portions where `rows` says so, and still gives all rows', async () => {
      const text = 'select n from generate_series(1, 7) as n'
      const result = await open().query({ text, rows: 3 } as pg.QueryConfig)
      expect(result.rows.map((row) => row.n)).toEqual([1, 2, 3, 4, 5, 6, 7])
    })

    it('answers an empty text with no rows and no command', async () => {
      const result = await open().query('')
      expect(result.rows).toEqual([])
      expect(result.command).toBeNull()
      expect(result.rowCount).toBeNull()
    })

    it('gives the error to the callback, and no result', async () => {
      const pool = open()
      const [error, result] = await called<Outcome>((callback) => pool.query('select nothing_like_it', callback))
      expect(error).toMatchObject({ code: '42703' })
      expect(result).toBeUndefined()
    })

    it('rejects a function in place of the text', async () => {
      const query = open().query.bind(open()) as (first: unknown) => Promise<unknown>
      const [error] = await called<readonly [Error]>((callback) => query(callback))
      expect(error.message).toBe('Passing a function as the first parameter to pool.query is not supported')
    })

    it.each([null, undefined])('rejects %s in place of the text', async (nothing) => {
      const error = await errorOf(open().query(nothing as unknown as string))
      expect(error).toBeInstanceOf(TypeError)
      expect(error.message).toBe('Client was passed a null or undefined query')
    })

    it('rejects a config object with neither text nor name', async () => {
      const error = await errorOf(open().query({ values: [1] } as unknown as pg.QueryConfig))
      expect(error.message).toMatch(/either text or a name/)
    })

    it('rejects values that are no array', async () => {
      const error = await errorOf(open().query('select $1', 'one' as unknown as unknown[]))
      expect(error.message).toBe('Query values must be an array')
    })

    it('answers each of many queries at once with its own result, on at most max connections', async () => {
      const pool = open({ max: 4 })
      let connections = 0
      pool.on('connect', () => {
        connections += 1
      })
      const numbers = Array.from({ length: 60 }, (_, index) => index)
      const results = await Promise.all(numbers.map((n) => pool.query('select $1::int as n', [n])))
      expect(results.map((result) => result.rows[0].n)).toEqual(numbers)
      expect(connections).toBeLessThanOrEqual(4 * subject.servers().nodeUrls.length)
    })

    it('gives its client back before the result arrives', async () => {
      const pool = open({ max: 1 })
      await pool.query('select 1')
      expect([pool.totalCount, pool.idleCount, pool.waitingCount]).toEqual([1, 1, 0])
    })

    it(`closes the connection of a failed query: ${subject.failedQueryClosesConnection}`, async () => {
      const pool = open({ max: 1 })
      await errorOf(pool.query('select 1 / 0'))
      const expected = subject.failedQueryClosesConnection ? 0 : 1
      await until(`${expected} connections`, () => pool.totalCount === expected)
      expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    })

    it(`is called with BEGIN: it ${subject.transactionOnPool}`, async () => {
      const pool = open({ max: 1 })
      if (subject.transactionOnPool === 'runs') {
        expect((await pool.query('begin')).command).toBe('BEGIN')
        expect((await pool.query('rollback')).command).toBe('ROLLBACK')
      } else {
        await expect(pool.query('begin')).rejects.toMatchObject({ code: 'transaction-on-pool' })
      }
    })
  })
}
