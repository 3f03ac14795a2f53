import type pg from 'pg'
import { describe, expect, it } from 'vitest'
import { sql } from '../../harness/sql.js'
import { runScript } from './script.js'
import { connectedClient, errorOf, pidOf, poolsOf, type Subject, until } from './subject.js'

/** The events of a pool, and their arguments. */
export function poolEvents(subject: Subject): void {
  const open = poolsOf(subject)
  const onPrimary = (text: string) => sql(subject.servers().nodeUrls[0], text)

  describe('events of a pool', () => {
    it('connect comes once for each new connection, with its client', async () => {
      const pool = open({ max: 1 })
      const connected: unknown[] = []
      pool.on('connect', (...args: unknown[]) => connected.push(args.length, args[0]))
      const client = await connectedClient(pool)
      client.release()
      await pidOf(pool)
      expect(connected).toHaveLength(2)
      expect(connected[0]).toBe(1)
      expect(connected[1]).toHaveProperty('query')
    })

    it('connect lets the connection be set up before any query of it', async () => {
      const pool = open({ max: 2 })
      pool.on('connect', (client) => {
        void client.query(`set application_name = 'set-up'; set datestyle = 'German'`)
      })
      const text = `select current_setting('application_name') as name, '2026-03-01'::date::text as day, pg_backend_pid()`
      const results = await Promise.all([pool.query(text), pool.query(text), pool.query(text)])
      for (const { rows } of results) expect(rows[0]).toMatchObject({ name: 'set-up', day: '01.03.2026' })
    })

    it('acquire comes each time that a client is checked out, by pool.query too', async () => {
      const pool = open({ max: 1 })
      const acquired: unknown[] = []
      pool.on('acquire', (client) => acquired.push(client))
      await pidOf(pool)
      await pidOf(pool)
      const client = await connectedClient(pool)
      client.release()
      expect(acquired).toHaveLength(3)
      for (const each of acquired) expect(each).toHaveProperty('query')
    })

    it('release comes with no error and the client', async () => {
      const pool = open()
      const released: unknown[][] = []
      pool.on('release', (...args: unknown[]) => released.push(args))
      const client = await connectedClient(pool)
      client.release()
      expect(released).toHaveLength(1)
      expect(released[0]?.[0]).toBeFalsy()
      expect(released[0]?.[1]).toHaveProperty('query')
    })

    it('release comes with the error that it was given', async () => {
      const pool = open()
      const released: unknown[] = []
      pool.on('release', (error) => released.push(error))
      const reason = new Error('of no use any more')
      const client = await connectedClient(pool)
      client.release(reason)
      expect(released).toEqual([reason])
    })

    it('release comes after each pool.query', async () => {
      const pool = open()
      let released = 0
      pool.on('release', () => {
        released += 1
      })
      await Promise.all([pidOf(pool), pidOf(pool), pidOf(pool)])
      expect(released).toBe(3)
    })

    it('remove comes with the client that was closed', async () => {
      const pool = open()
      const removed: unknown[][] = []
      pool.on('remove', (...args: unknown[]) => removed.push(args))
      const client = await connectedClient(pool)
      client.release(true)
      await until('remove', () => removed.length === 1)
      expect(removed[0]).toHaveLength(1)
      expect(removed[0]?.[0]).toHaveProperty('query')
    })

    it('remove comes for each connection when the pool ends', async () => {
      const pool = open()
      const opened = new Set<pg.PoolClient>()
      pool.on('connect', (client) => opened.add(client))
      pool.on('remove', (client) => opened.delete(client))
      const clients = await Promise.all([connectedClient(pool), connectedClient(pool)])
      for (const client of clients) client.release()
      expect(opened.size).toBeGreaterThanOrEqual(2)
      await pool.end()
      await until('remove of all', () => opened.size === 0)
    })

    it('connect, acquire, release, remove come in this order', async () => {
      const pool = open()
      const seen: string[] = []
      for (const event of ['connect', 'acquire', 'release', 'remove'] as const) pool.on(event, () => seen.push(event))
      const client = await connectedClient(pool)
      client.release(true)
      await until('remove', () => seen.includes('remove'))
      expect(seen).toEqual(['connect', 'acquire', 'release', 'remove'])
    })

    it('error comes with the error and the client when an idle connection is ended, and the pool goes on', async () => {
      const pool = open({ max: 1 })
      const errors: [Error, unknown][] = []
      pool.on('error', (...args) => errors.push(args))
      const pid = await pidOf(pool)
      await onPrimary(`select pg_terminate_backend(${pid})`)
      await until('an error', () => errors.length > 0)
      const [error, client] = errors[0] ?? []
      expect(error).toMatchObject({ code: '57P01', severity: 'FATAL' })
      expect(client).toHaveProperty('query')
      expect(error).toHaveProperty('client', client)
      await until('the connection to be gone', () => pool.totalCount === 0)
      expect(await pidOf(pool)).not.toBe(pid)
      expect(errors).toHaveLength(1)
    })

    it('error of a connection that is checked out comes to its client, not to the pool', async () => {
      const pool = open({ max: 1 })
      const errors: unknown[] = []
      pool.on('error', (error) => errors.push(error))
      const client = await pool.connect()
      const ofClient: unknown[] = []
      client.on('error', (error) => ofClient.push(error))
      await onPrimary(`select pg_terminate_backend(${await pidOf(client)})`)
      // One for what the server said, one for the end of the socket.
      await until('two errors', () => ofClient.length === 2)
      expect(ofClient).toMatchObject([{ code: '57P01' }, { message: 'Connection terminated unexpectedly' }])
      expect((await errorOf(client.query('select 1'))).message).toMatch(/not queryable/)
      client.release()
      expect(errors).toEqual([])
    })

    it(`an error that nobody listens for ends the process: ${subject.unheardErrorEndsProcess}`, async () => {
      const run = await runScript(
        subject,
        `const { rows } = await pool.query('select pg_backend_pid() as pid')
         const other = new Pool(connection)
         other.on('error', () => {})
         const removed = new Promise((resolve) => pool.once('remove', resolve))
         await other.query('select pg_terminate_backend($1)', [rows[0].pid])
         await removed
         await Promise.all([pool.end(), other.end()])`,
      )
      if (!subject.unheardErrorEndsProcess) return expect(run).toEqual({ code: 0, stdout: '', stderr: '' })
      expect(run.code).toBe(1)
      expect(run.stderr).toMatch(/Unhandled 'error' event/)
      expect(run.stderr).toMatch(/57P01/)
    })
  })
}
