import { describe, expect, it } from 'vitest'
import { connectedClient, errorOf, pidOf, poolsOf, type Subject, until } from './subject.js'

/** The options that a pool hands to its connections. */
export function settings(subject: Subject): void {
  const open = poolsOf(subject)

  describe('time limits', () => {
    it('statement_timeout ends a statement on the server', async () => {
      const error = await errorOf(open({ statement_timeout: 50 }).query('select pg_sleep(30)'))
      expect(error).toMatchObject({ code: '57014', message: 'canceling statement due to statement timeout' })
    })

    it('query_timeout ends the wait for an answer', async () => {
      const pool = open({ query_timeout: 50 })
      expect((await errorOf(pool.query('select pg_sleep(0.3)'))).message).toBe('Query read timeout')
    })

    it('query_timeout of one query is its own', async () => {
      const pool = open()
      const slow = { text: 'select pg_sleep(0.3)', query_timeout: 50 }
      expect((await errorOf(pool.query(slow))).message).toBe('Query read timeout')
      expect((await pool.query('select 1 as one, pg_sleep(0.1)')).rows[0].one).toBe(1)
    })

    it('query_timeout does nothing to a query that is answered in time', async () => {
      const pool = open({ query_timeout: 5_000, max: 1 })
      expect(await pidOf(pool)).toBe(await pidOf(pool))
    })

    it('lock_timeout ends the wait for a lock', async () => {
      const pool = open({ lock_timeout: 50 })
      const holder = await pool.connect()
      await holder.query('begin; select pg_advisory_xact_lock(4711)')
      const error = await errorOf(pool.query('select pg_advisory_xact_lock(4711)'))
      await holder.query('rollback')
      holder.release()
      expect(error).toMatchObject({ code: '55P03' })
    })

    it('idle_in_transaction_session_timeout ends a session that sits in a transaction', async () => {
      const pool = open({ idle_in_transaction_session_timeout: 50 })
      const client = await pool.connect()
      const errors: unknown[] = []
      client.on('error', (error) => errors.push(error))
      await client.query('begin')
      await until('the session to be ended', () => errors.length === 2)
      client.release()
      expect(errors[0]).toMatchObject({ code: '25P03' })
      expect(pool.totalCount).toBe(0)
    })
  })

  describe('what the server is told', () => {
    const told = `select current_setting('application_name') as name, current_setting('work_mem') as work_mem,
      current_database() as database, current_user as role, pg_backend_pid()`

    it('application_name', async () => {
      expect((await open({ application_name: 'the shop' }).query(told)).rows[0].name).toBe('the shop')
    })

    it('fallback_application_name, where there is no other', async () => {
      const fallback_application_name = 'a shop'
      expect((await open({ fallback_application_name }).query(told)).rows[0].name).toBe('a shop')
      const both = open({ fallback_application_name, application_name: 'the shop' })
      expect((await both.query(told)).rows[0].name).toBe('the shop')
    })

    it('options, as on the command line of the server', async () => {
      expect((await open({ options: '-c work_mem=9MB' }).query(told)).rows[0].work_mem).toBe('9MB')
    })

    it('a connection string, with settings in its query', async () => {
      const pool = new subject.Pool({
        connectionString: `${subject.servers().url}?application_name=from%20url`,
        max: 1,
      })
      const { rows } = await pool.query(told)
      await pool.end()
      expect(rows[0]).toMatchObject({ name: 'from url', database: 'postgres', role: 'postgres' })
    })

    it('the variables of the environment that libpq knows, for what is not given', async () => {
      const { host, port, user, password, database } = subject.servers().connection
      const variables = { PGHOST: host, PGPORT: port, PGUSER: user, PGPASSWORD: password, PGDATABASE: database }
      const before = { ...process.env }
      try {
        for (const [name, value] of Object.entries(variables)) process.env[name] = String(value)
        const pool = new subject.Pool({ max: 1, application_name: 'by environment' })
        const { rows } = await pool.query(told)
        await pool.end()
        expect(rows[0]).toMatchObject({ name: 'by environment', database, role: user })
      } finally {
        process.env = before
      }
    })

    it('a connection string together with options of the pool', async () => {
      const pool = new subject.Pool({ connectionString: subject.servers().url, application_name: 'beside', max: 1 })
      const { rows } = await pool.query(told)
      expect(rows[0].name).toBe('beside')
      expect(pool.options.max).toBe(1)
      await pool.end()
    })
  })

  describe('the password', () => {
    const password = () => String(subject.servers().connection.password)

    it('may be a function', async () => {
      expect((await open({ password }).query('select 1 as one')).rows).toEqual([{ one: 1 }])
    })

    it('may be an async function, which is asked for each new connection', async () => {
      let asked = 0
      const token = async () => {
        asked += 1
        return await Promise.resolve(password())
      }
      const pool = open({ password: token })
      const clients = await Promise.all([connectedClient(pool), connectedClient(pool)])
      for (const client of clients) client.release()
      expect(asked).toBeGreaterThanOrEqual(2)
    })

    it('may be a function that fails: the query fails with its error', async () => {
      const pool = open({ password: () => Promise.reject(new Error('the vault is closed')) })
      expect((await errorOf(pool.query('select 1'))).message).toBe('the vault is closed')
      await until('no connection', () => pool.totalCount === 0)
    })

    it('must be a string when it comes from a function', async () => {
      const pool = open({ password: (() => 42) as unknown as () => string })
      const error = await errorOf(pool.query('select 1'))
      expect(error).toBeInstanceOf(TypeError)
      expect(error.message).toBe('Password must be a string')
    })

    it('that is wrong fails the query with the error of the server', async () => {
      const pool = open({ password: 'wrong' })
      expect(await errorOf(pool.query('select 1'))).toMatchObject({ code: '28P01', severity: 'FATAL' })
      expect(await errorOf(pool.connect())).toMatchObject({ code: '28P01' })
    })
  })

  describe('a connection that cannot be', () => {
    it('fails with the error of the server where the database does not exist', async () => {
      expect(await errorOf(open({ database: 'nowhere' }).query('select 1'))).toMatchObject({ code: '3D000' })
    })

    it('fails with ECONNREFUSED where nobody listens, and the pool holds no connection', async () => {
      const pool = new subject.Pool({ host: '127.0.0.1', port: 1, user: 'app', password: 'none' })
      expect(await errorOf(pool.query('select 1'))).toMatchObject({ code: 'ECONNREFUSED' })
      expect(await errorOf(pool.connect())).toMatchObject({ code: 'ECONNREFUSED' })
      expect(pool.totalCount).toBe(0)
      await pool.end()
    })
  })
}
