import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sql } from '../../harness/sql.js'
import { errorOf, pidOf, poolsOf, type Subject, until } from './subject.js'

/** What an application gets when something goes wrong. */
export function errors(subject: Subject): void {
  const open = poolsOf(subject)
  const onPrimary = (text: string) => sql(subject.servers().nodeUrls[0], text)

  describe('an error of the server', () => {
    beforeAll(async () => {
      await onPrimary('create table seat (row int, place int not null, constraint seat_taken unique (row, place))')
      await onPrimary('insert into seat values (1, 1)')
    })
    afterAll(async () => {
      await onPrimary('drop table seat')
    })

    it('is a pg.DatabaseError with the fields that the server sent', async () => {
      const error = await errorOf(open().query('insert into seat values ($1, $2)', [1, 1]))
      expect(error).toBeInstanceOf(pg.DatabaseError)
      expect(error).toMatchObject({
        name: 'error',
        severity: 'ERROR',
        code: '23505',
        message: 'duplicate key value violates unique constraint "seat_taken"',
        detail: 'Key ("row", place)=(1, 1) already exists.',
        schema: 'public',
        table: 'seat',
        constraint: 'seat_taken',
        file: 'nbtinsert.c',
        routine: '_bt_check_unique',
        line: expect.stringMatching(/^\d+$/),
        length: expect.any(Number),
      })
    })

    it('names the column of a violated NOT NULL', async () => {
      const error = await errorOf(open().query('insert into seat values (1, null)'))
      expect(error).toMatchObject({ code: '23502', table: 'seat', column: 'place' })
    })

    it('says at which character of the text, and what may help', async () => {
      const error = await errorOf(open().query('select plcae from seat'))
      expect(error).toMatchObject({ code: '42703', position: '8', hint: expect.stringMatching(/seat\.place/) })
    })

    it('says where inside of a function', async () => {
      const error = await errorOf(open().query('do $$ begin perform 1 / 0; end $$'))
      expect(error).toMatchObject({ code: '22012', where: expect.stringMatching(/PL\/pgSQL/) })
    })

    it('has no field that the server did not send', async () => {
      const error = await errorOf(open().query('select 1 / 0'))
      expect(error).toMatchObject({ code: '22012', detail: undefined, hint: undefined, constraint: undefined })
    })

    it('that a function raised has its code, detail and hint', async () => {
      const raise = `do $$ begin raise exception 'sold out' using errcode = 'P0042', detail = 'row 1', hint = 'try row 2'; end $$`
      const error = await errorOf(open().query(raise))
      expect(error).toMatchObject({ message: 'sold out', code: 'P0042', detail: 'row 1', hint: 'try row 2' })
    })

    it('after some rows arrived still fails the query', async () => {
      const error = await errorOf(open().query('select 100 / (5000 - n) from generate_series(1, 10000) as n'))
      expect(error).toMatchObject({ code: '22012' })
    })

    it('in one of several statements undoes all of them', async () => {
      const pool = open()
      const text = 'insert into seat values (7, 7); insert into seat values (1, 1); insert into seat values (8, 8)'
      expect(await errorOf(pool.query(text))).toMatchObject({ code: '23505' })
      expect((await pool.query('select count(*)::int as n from seat')).rows).toEqual([{ n: 1 }])
    })

    it('does not spoil the client: a syntax error, and a named statement that failed', async () => {
      const client = await open().connect()
      const pid = await pidOf(client)
      expect(await errorOf(client.query('selekt 1'))).toMatchObject({ code: '42601', position: '1' })
      const named = { name: 'divide', text: 'select 10 / $1::int as q' }
      expect(await errorOf(client.query({ ...named, values: [0] }))).toMatchObject({ code: '22012' })
      expect((await client.query({ ...named, values: [5] })).rows).toEqual([{ q: 2 }])
      expect(await errorOf(client.query({ name: 'wrong', text: 'selekt $1', values: [1] }))).toMatchObject({
        code: '42601',
      })
      expect((await client.query({ name: 'wrong', text: 'select $1::int as n', values: [1] })).rows).toEqual([{ n: 1 }])
      expect(await pidOf(client)).toBe(pid)
      client.release()
    })
  })

  describe('the stack of an error', () => {
    async function bookASeat(run: () => Promise<unknown>): Promise<void> {
      await run()
    }

    it.each(['select 1 / 0', 'insert into no_such_table values (1)'])('leads back to who asked: %s', async (text) => {
      const pool = open()
      expect((await errorOf(bookASeat(async () => await pool.query(text)))).stack).toMatch(/bookASeat/)
      const client = await pool.connect()
      expect((await errorOf(bookASeat(async () => await client.query(text)))).stack).toMatch(/bookASeat/)
      client.release()
    })

    it('leads back to who asked for a connection', async () => {
      const pool = open({ password: 'wrong' })
      expect((await errorOf(bookASeat(async () => await pool.connect()))).stack).toMatch(/bookASeat/)
    })
  })

  describe('an error on this side', () => {
    it('of a name used for two texts fails the second query, and the client goes on', async () => {
      const client = await open().connect()
      await client.query({ name: 'twice', text: 'select 1 as n' })
      const error = await errorOf(client.query({ name: 'twice', text: 'select 2 as n' }))
      expect(error.message).toBe(`Prepared statements must be unique - 'twice' was used for a different statement`)
      expect((await client.query({ name: 'twice', text: 'select 1 as n' })).rows).toEqual([{ n: 1 }])
      client.release()
    })

    it('of a type parser fails its query with that error, and the client goes on', async () => {
      const reason = new Error('cannot read this')
      const broken: pg.CustomTypesConfig = {
        getTypeParser: () => () => {
          throw reason
        },
      }
      const client = await open().connect()
      expect(await errorOf(client.query({ text: 'select 1 as n', types: broken }))).toBe(reason)
      expect((await client.query('select 1 as n')).rows).toEqual([{ n: 1 }])
      client.release()
    })

    it('of a null query throws at once on a client, which goes on', async () => {
      const client = await open().connect()
      expect(() => client.query(null as unknown as string)).toThrow(TypeError)
      expect((await client.query('select 1 as n')).rows).toEqual([{ n: 1 }])
      client.release()
    })
  })

  describe('a connection that is ended in the middle of a query', () => {
    it('fails the query of a pool, which then opens another', async () => {
      const pool = open({ max: 1, application_name: 'to be ended' })
      const query = errorOf(pool.query('select pg_sleep(30)'))
      await until('the query to run', () => endBackends('to be ended'))
      expect(await query).toMatchObject({ code: '57P01' })
      expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    })

    it('fails all queries of a client, those that wait too, and whatever comes later', async () => {
      const pool = open({ application_name: 'to be ended' })
      const client = await pool.connect()
      client.on('error', () => {})
      const queries = [client.query('select pg_sleep(30)'), client.query('select 1'), client.query('select 2')].map(
        errorOf,
      )
      await until('the query to run', () => endBackends('to be ended'))
      const [first, ...others] = await Promise.all(queries)
      expect(first).toMatchObject({ code: '57P01' })
      for (const error of others) expect(error.message).toMatch(/Connection terminated|not queryable/)
      expect((await errorOf(client.query('select 3'))).message).toMatch(/not queryable/)
      client.release()
      expect(pool.totalCount).toBe(0)
    })

    it('fails a cancelled query with 57014, and its connection lives on', async () => {
      const client = await open({ application_name: 'to be cancelled' }).connect()
      const pid = await pidOf(client)
      const query = errorOf(client.query('select pg_sleep(30)'))
      const cancel = `select pg_cancel_backend(pid) as done from pg_stat_activity where query like 'select pg_sleep%' and pid = ${pid}`
      await until('the query to run', async () => (await onPrimary(cancel)).length > 0)
      expect(await query).toMatchObject({ code: '57014' })
      expect(await pidOf(client)).toBe(pid)
      client.release()
    })
  })

  async function endBackends(application: string): Promise<boolean> {
    const rows = await onPrimary(`select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = '${application}' and state = 'active' and query like '%pg_sleep%'`)
    return rows.length > 0
  }
}
