import { EventEmitter } from 'node:events'
import { createServer } from 'node:net'
import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { connectedClient, errorOf, pidOf, poolsOf, type Subject, until } from './subject.js'

/** The options that bound a pool, and its counters. */
export function poolLimits(subject: Subject): void {
  const open = poolsOf(subject)
  const counters = (pool: pg.Pool) => ({
    total: pool.totalCount,
    idle: pool.idleCount,
    waiting: pool.waitingCount,
  })

  describe('a pool', () => {
    it('is a pg.Pool and an EventEmitter', () => {
      const pool = open()
      expect(pool).toBeInstanceOf(pg.Pool)
      expect(pool).toBeInstanceOf(EventEmitter)
    })

    it('opens nothing before it is asked', () => {
      expect(counters(open({ min: 3 }))).toEqual({ total: 0, idle: 0, waiting: 0 })
    })

    it('tells its options, with their defaults', () => {
      const { options } = open({ application_name: 'shop' })
      expect(options).toMatchObject({ application_name: 'shop', max: 10, min: 0, idleTimeoutMillis: 10_000 })
      expect(options).toMatchObject({
        maxUses: Number.POSITIVE_INFINITY,
        maxLifetimeSeconds: 0,
        allowExitOnIdle: false,
      })
    })

    it('leaves the options that it was given as they are', () => {
      const options = { ...subject.servers().connection, max: 3 }
      const before = structuredClone(options)
      expect(new subject.Pool(options).options.max).toBe(3)
      expect(options).toEqual(before)
    })

    it('does not show its password', () => {
      const pool = open({ password: 'a secret of the shop' })
      expect(Object.keys(pool.options)).not.toContain('password')
      expect(JSON.stringify(pool.options)).not.toContain('a secret of the shop')
    })

    it('tells what it does to its log', async () => {
      const lines: unknown[] = []
      const pool = open({ log: (...args: unknown[]) => lines.push(args) })
      await pidOf(pool)
      expect(lines.length).toBeGreaterThan(0)
    })
  })

  describe('max', () => {
    it('bounds the connections; whoever comes then is counted as waiting', async () => {
      const pool = open({ max: 2 })
      const held = await Promise.all([connectedClient(pool), connectedClient(pool)])
      const waiting = [pidOf(pool), pidOf(pool), pidOf(pool)]
      await until('three to wait', () => pool.waitingCount === 3)
      expect(counters(pool)).toEqual({ total: 2, idle: 0, waiting: 3 })
      for (const client of held) client.release()
      await Promise.all(waiting)
      expect(counters(pool)).toEqual({ total: 2, idle: 2, waiting: 0 })
    })

    it('is 10 by default', async () => {
      const pool = open()
      const held = await Promise.all(Array.from({ length: 10 }, () => connectedClient(pool)))
      const eleventh = pidOf(pool)
      await until('one to wait', () => pool.waitingCount === 1)
      expect(pool.totalCount).toBe(10)
      for (const client of held) client.release()
      await eleventh
    })
  })

  describe('idleTimeoutMillis', () => {
    it('closes a connection that was idle for so long', async () => {
      const pool = open({ idleTimeoutMillis: 10 })
      await pidOf(pool)
      await until('no connection', () => pool.totalCount === 0)
      expect(pool.idleCount).toBe(0)
    })

    it('does not close one that is in use', async () => {
      const pool = open({ idleTimeoutMillis: 10 })
      const client = await connectedClient(pool)
      const { rows } = await client.query('select 1 as one, pg_sleep(0.05)')
      expect(rows[0].one).toBe(1)
      expect(pool.totalCount).toBe(1)
      client.release()
    })

    it('leaves min connections', async () => {
      const pool = open({ idleTimeoutMillis: 10, min: 1 })
      const clients = await Promise.all([connectedClient(pool), connectedClient(pool), connectedClient(pool)])
      for (const client of clients) client.release()
      await until('one connection', () => pool.totalCount === 1)
      const others = open({ idleTimeoutMillis: 10 })
      await pidOf(others)
      await until('another pool to close its own', () => others.totalCount === 0)
      expect(counters(pool)).toEqual({ total: 1, idle: 1, waiting: 0 })
    })

    it('closes nothing when it is 0', async () => {
      const pool = open({ idleTimeoutMillis: 0 })
      await pidOf(pool)
      const others = open({ idleTimeoutMillis: 10 })
      await pidOf(others)
      await until('another pool to close its own', () => others.totalCount === 0)
      expect(pool.totalCount).toBe(1)
    })
  })

  describe('maxUses', () => {
    it('closes a connection that was given back so often', async () => {
      const pool = open({ max: 1, maxUses: 3 })
      const pids: number[] = []
      for (let n = 0; n < 7; n += 1) pids.push(await pidOf(pool))
      const runs = [...new Set(pids)].map((pid) => pids.filter((each) => each === pid).length)
      expect(runs).toEqual([3, 3, 1])
    })
  })

  describe('maxLifetimeSeconds', () => {
    it('closes an idle connection that is so old', async () => {
      const pool = open({ maxLifetimeSeconds: 0.02, idleTimeoutMillis: 0 })
      await pidOf(pool)
      await until('no connection', () => pool.totalCount === 0)
    })

    it('closes one that is in use when it is given back, and counts it as expired until then', async () => {
      const pool = open({ maxLifetimeSeconds: 0.02, idleTimeoutMillis: 0 })
      const client = await connectedClient(pool)
      await until('it to be expired', () => pool.expiredCount === 1)
      expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
      client.release()
      expect([pool.totalCount, pool.expiredCount]).toEqual([0, 0])
    })
  })

  describe('connectionTimeoutMillis', () => {
    it('ends the wait for a client of a full pool, who is not served later', async () => {
      const pool = open({ max: 1, connectionTimeoutMillis: 500 })
      const held = await connectedClient(pool)
      const error = await errorOf(pool.query('select pg_backend_pid()'))
      expect(error.message).toBe('timeout exceeded when trying to connect')
      expect(pool.waitingCount).toBe(0)
      held.release()
      expect(counters(pool)).toEqual({ total: 1, idle: 1, waiting: 0 })
    })

    it('ends the wait for a server that says nothing', async () => {
      const silent = createServer(() => {})
      await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
      const { port } = silent.address() as { port: number }
      const pool = new subject.Pool({ host: '127.0.0.1', port, user: 'app', connectionTimeoutMillis: 50 })
      pool.on('error', () => {})
      try {
        expect((await errorOf(pool.query('select 1'))).message).toMatch(/timeout/)
        await until('no connection', () => pool.totalCount === 0)
      } finally {
        await pool.end()
        silent.close()
      }
    })

    it('is no limit for a query', async () => {
      const pool = open({ connectionTimeoutMillis: 2_000, max: 1 })
      const { rows } = await pool.query('select 1 as one, pg_sleep(0.05)')
      expect(rows[0].one).toBe(1)
    })
  })

  describe('onConnect', () => {
    it('is waited for before the client of a new connection is given out', async () => {
      const seen: unknown[] = []
      const onConnect = async (client: pg.ClientBase) => {
        seen.push((await client.query(`set application_name = 'prepared'`)).command)
      }
      const pool = open({ max: 1, onConnect: onConnect as (client: pg.ClientBase) => void })
      const text = `select current_setting('application_name') as name, pg_backend_pid()`
      expect((await pool.query(text)).rows[0].name).toBe('prepared')
      await pool.query(text)
      expect(seen).toEqual(['SET'])
    })

    it('fails the query with its error, and the connection is closed', async () => {
      const reason = new Error('this server is not for us')
      const onConnect = () => Promise.reject(reason)
      const pool = open({ onConnect: onConnect as () => void })
      expect((await errorOf(pool.query('select 1'))).message).toBe(reason.message)
      await until('no connection', () => pool.totalCount === 0)
    })
  })

  describe('verify', () => {
    it('is asked once for each new connection', async () => {
      let asked = 0
      const verify: pg.PoolConfig['verify'] = (client, done) => {
        asked += 1
        client.query('select 1', (error) => done(error))
      }
      const pool = open({ max: 1, verify })
      await pidOf(pool)
      await pidOf(pool)
      expect(asked).toBe(1)
    })

    it('fails the query with its error, and the connection is closed', async () => {
      const pool = open({ verify: (_, done) => done(new Error('not this one')) })
      expect((await errorOf(pool.query('select 1'))).message).toBe('not this one')
      await until('no connection', () => pool.totalCount === 0)
    })
  })
}
