import { inspect } from 'node:util'
import type pg from 'pg'
import { describe, expect, it } from 'vitest'
import { routedCluster } from '../../harness/routed-cluster.js'

const cluster = routedCluster({ schema: 'create table item (id serial primary key, name text unique)' })

describe('what a pool leaves behind', () => {
  it('leaves no listener of a client on the connection that the client has given back', async () => {
    const pool = cluster.makePool({ max: 1 })
    const connections: pg.PoolClient[] = []
    pool.on('connect', (client) => void connections.push(client))
    for (let n = 0; n < 5; n += 1) await pool.transaction((client) => client.query('insert into item default values'))
    // The pool's own.
    expect(connections.map((each) => each.listenerCount('end'))).toEqual([1])
  })

  it('answers all that was sent before its end, whether it has a connection or waits for one', async () => {
    const pool = await cluster.openPool({ max: 2 })
    const sent = Array.from({ length: 60 }, (_, n) =>
      pool.query(n % 3 === 0 ? 'insert into item default values' : 'select count(*) from item'),
    )
    await pool.end()
    expect(await Promise.all(sent)).toHaveLength(60)
  })

  it('answers what was sent to a pool that had no connection yet when its end was called', async () => {
    const pool = cluster.makePool()
    const sent = pool.query('select 1 as one')
    const asked = pool.connect()
    const end = pool.end()
    expect((await sent).rows).toEqual([{ one: 1 }])
    const client = await asked
    // A client that is out holds the end up, also one that has no connection of its own.
    expect((await client.query('select count(*)::int as n from item')).rows).toHaveLength(1)
    expect(pool.ended).toBe(false)
    client.release()
    await end
    expect(pool.ended).toBe(true)
  })

  it('shows no password to whoever prints it', async () => {
    const pool = await cluster.openPool()
    const { password } = new URL(cluster.sandbox.primary.url)
    expect(inspect(pool, { depth: 9 })).toContain('options')
    expect(inspect(pool, { depth: 9 })).not.toContain(password)
    expect(JSON.stringify((pool as unknown as { options: unknown }).options)).not.toContain(password)
  })

  it('warns of no listeners when one signal is that of many statements', async () => {
    const pool = cluster.makePool({ max: 2 })
    const warnings: Error[] = []
    const warned = (warning: Error) => void warnings.push(warning)
    process.on('warning', warned)
    const { signal } = new AbortController()
    await Promise.all(Array.from({ length: 40 }, () => pool.query({ text: 'select 1', signal })))
    process.removeListener('warning', warned)
    expect(warnings).toEqual([])
  })
})

describe('a callback that throws', () => {
  it('is an uncaught exception, as with node-postgres, and holds up nobody else', async () => {
    const pool = cluster.makePool()
    const uncaught: unknown[] = []
    const before = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', (error) => void uncaught.push(error))
    try {
      const mine = new Error('thrown by a callback')
      pool.query('begin', () => {
        throw mine
      })
      expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
      expect(uncaught).toEqual([mine])
    } finally {
      process.removeAllListeners('uncaughtException')
      for (const listener of before) process.on('uncaughtException', listener)
    }
  })
})
