import { inspect } from 'node:util'
import type pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ContractCluster } from '../../harness/contract-cluster.js'

let cluster: ContractCluster

beforeAll(async () => {
  cluster = await ContractCluster.start()
})

afterEach(async () => await cluster.endPools())

afterAll(async () => await cluster.end())

describe('what a pool leaves behind', () => {
  it('leaves no listener of a client on the connection that the client has given back', async () => {
    const pool = await cluster.pool({ max: 1 })
    const connections: pg.PoolClient[] = []
    pool.on('connect', (client) => void connections.push(client))
    for (let n = 0; n < 5; n += 1) await pool.transaction((client) => client.query('insert into item default values'))
    // The pool's own.
    expect(connections.map((each) => each.listenerCount('end'))).toEqual([1])
  })

  it('shows no password to whoever prints it', async () => {
    const pool = await cluster.warmPool()
    const { password } = new URL(cluster.sandbox.primary.url)
    expect(inspect(pool, { depth: 9 })).toContain('options')
    expect(inspect(pool, { depth: 9 })).not.toContain(password)
    expect(JSON.stringify((pool as unknown as { options: unknown }).options)).not.toContain(password)
  })

  it('warns of no listeners when one signal is that of many statements', async () => {
    const pool = await cluster.pool({ max: 2 })
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
    const pool = await cluster.pool()
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
