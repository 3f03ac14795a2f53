import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { called, connectedClient, errorOf, pidOf, poolsOf, type Subject, until } from './subject.js'

type Connected = readonly [Error | undefined | null, pg.PoolClient | undefined, (destroy?: unknown) => void]

/** What is checked out of a pool, and how it is given back. */
export function poolClients(subject: Subject): void {
  const open = poolsOf(subject)
  describe('pool.connect', () => checkout(subject, open))
  describe('client.release', () => giveBack(open))
}

function checkout(subject: Subject, open: ReturnType<typeof poolsOf>): void {
  it('gives a promise of a client, which runs queries', async () => {
    const client = await open().connect()
    try {
      expect((await client.query('select $1::text as name', ['ada'])).rows).toEqual([{ name: 'ada' }])
    } finally {
      client.release()
    }
  })

  it('calls a callback with a client and the function that releases it, and returns nothing', async () => {
    const pool = open()
    let returned: unknown = 'nothing was returned yet'
    const [error, client, done] = await called<Connected>((callback) => {
      returned = pool.connect(callback)
    })
    expect(error).toBeFalsy()
    expect(returned).toBeUndefined()
    const [, result] = await called<readonly [Error, pg.QueryResult]>((callback) =>
      client?.query('select 1 as one', callback),
    )
    expect(result.rows).toEqual([{ one: 1 }])
    done()
    expect(pool.idleCount).toBe(pool.totalCount)
  })

  it('gives a function for a failed connect too, which may be called', async () => {
    const pool = open({ password: 'wrong' })
    const [error, client, done] = await called<Connected>((callback) => pool.connect(callback))
    expect(error).toMatchObject({ code: '28P01' })
    expect(client).toBeUndefined()
    done()
    await until('no connection', () => pool.totalCount === 0)
  })

  it('gives a client of the class that the pool names', async () => {
    const pool = open()
    expect(pool).toHaveProperty('Client', pg.Client)
    const client = await pool.connect()
    client.release()
    expect(client).toBeInstanceOf(pg.Client)
  })

  it('makes clients of the class that the options name', async () => {
    class Counted extends pg.Client {
      readonly counted = true
    }
    const pool = open({ Client: Counted as unknown as new () => pg.ClientBase })
    const connected: unknown[] = []
    pool.on('connect', (client) => connected.push(client))
    await pool.query('select 1')
    expect(connected[0]).toBeInstanceOf(Counted)
    expect(connected[0]).toHaveProperty('counted', true)
  })

  it('gives different connections to those who hold one at the same time', async () => {
    const pool = open()
    const clients = await Promise.all([pool.connect(), pool.connect(), pool.connect()])
    const pids = await Promise.all(clients.map(pidOf))
    for (const client of clients) client.release()
    expect(new Set(pids).size).toBe(3)
  })

  it('gives a connection that was released to the next', async () => {
    const pool = open({ max: 1 })
    const first = await pool.connect()
    const pid = await pidOf(first)
    first.release()
    const second = await pool.connect()
    expect(await pidOf(second)).toBe(pid)
    second.release()
  })

  it('serves those who wait in the order in which they came', async () => {
    const pool = open({ max: 1 })
    const held = await connectedClient(pool)
    const order: number[] = []
    const waiting = [1, 2, 3].map(async (n) => {
      const client = await connectedClient(pool)
      order.push(n)
      client.release()
    })
    held.release()
    await Promise.all(waiting)
    expect(order).toEqual([1, 2, 3])
  })

  it('lets pool.query wait for a client, too', async () => {
    const pool = open({ max: 1 })
    const held = await connectedClient(pool)
    const pid = await pidOf(held)
    const query = pidOf(pool)
    held.release()
    expect(await query).toBe(pid)
  })

  it('keeps what a session sets on its connection, as node-postgres resets nothing', async () => {
    const pool = open({ max: 1 })
    const first = await pool.connect()
    await first.query(`set work_mem = '7MB'; create temp table mine (n int)`)
    first.release()
    const second = await pool.connect()
    await second.query('insert into mine values (1)')
    expect((await second.query(`select current_setting('work_mem') as w, n from mine`)).rows).toEqual([
      { w: '7MB', n: 1 },
    ])
    second.release()
  })

  it(`opens a connection before the first statement: ${subject.connectOpensConnection}`, async () => {
    const pool = open()
    const client = await pool.connect()
    expect(pool.totalCount).toBe(subject.connectOpensConnection ? 1 : 0)
    client.release()
  })
}

function giveBack(open: ReturnType<typeof poolsOf>): void {
  it('leaves the connection in the pool', async () => {
    const pool = open()
    const client = await connectedClient(pool)
    expect([pool.totalCount, pool.idleCount]).toEqual([1, 0])
    client.release()
    expect([pool.totalCount, pool.idleCount]).toEqual([1, 1])
  })

  it.each([
    ['true', true],
    ['an error', new Error('of no use any more')],
  ])('closes the connection when it is given %s', async (_, destroy) => {
    const pool = open({ max: 1 })
    const client = await connectedClient(pool)
    const pid = await pidOf(client)
    client.release(destroy)
    expect([pool.totalCount, pool.idleCount]).toEqual([0, 0])
    expect(await pidOf(pool)).not.toBe(pid)
  })

  it('closes the connection when `done` of a callback is given an error', async () => {
    const pool = open()
    const [, client, done] = await called<Connected>((callback) => pool.connect(callback))
    await client?.query('select pg_backend_pid()')
    done(new Error('of no use any more'))
    expect(pool.totalCount).toBe(0)
  })

  it('leaves nobody behind who listens to the connection', async () => {
    const pool = open({ max: 1 })
    const physical: pg.ClientBase[] = []
    pool.on('connect', (client) => physical.push(client))
    const listeners = () =>
      ['end', 'error', 'notice', 'drain'].map((event) => physical.map((each) => each.listenerCount(event)))
    const use = async () => {
      const client = await connectedClient(pool)
      await client.query('begin')
      await client.query('commit')
      client.release()
    }
    await use()
    const afterOne = listeners()
    await use()
    await use()
    expect(listeners()).toEqual(afterOne)
    expect(afterOne[0]).not.toEqual([])
  })

  it('throws the second time', async () => {
    const client = await open().connect()
    client.release()
    expect(() => client.release()).toThrow('Release called on client which has already been released to the pool.')
  })

  it('throws the second time after it closed the connection, and by `done` too', async () => {
    const pool = open()
    const [, client, done] = await called<Connected>((callback) => pool.connect(callback))
    client?.release(true)
    expect(() => done()).toThrow(/already been released/)
  })

  it('does not throw for who got the same connection later', async () => {
    const pool = open({ max: 1 })
    const first = await connectedClient(pool)
    first.release()
    const second = await connectedClient(pool)
    second.release()
    expect(pool.idleCount).toBe(1)
  })

  it('can be passed on without its client', async () => {
    const pool = open()
    const { release } = await pool.connect()
    release()
    expect(pool.idleCount).toBe(pool.totalCount)
  })

  it('serves the next who waits also when it closed the connection', async () => {
    const pool = open({ max: 1 })
    const client = await connectedClient(pool)
    const pid = await pidOf(client)
    const waiting = pidOf(pool)
    client.release(true)
    expect(await waiting).not.toBe(pid)
  })

  it('closes a connection that died while it was out', async () => {
    const pool = open({ max: 1 })
    const client = await pool.connect()
    const died = new Promise<void>((resolve) => {
      client.on('error', () => resolve())
    })
    const error = await errorOf(client.query('select pg_terminate_backend(pg_backend_pid())'))
    expect(error).toMatchObject({ code: '57P01' })
    await died
    client.release()
    expect(pool.totalCount).toBe(0)
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })
}
