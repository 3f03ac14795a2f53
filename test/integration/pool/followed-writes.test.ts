import { describe, expect, it, vi } from 'vitest'
import type { Pool } from '../../../packages/client/src/index.js'
import { routedCluster } from '../../harness/routed-cluster.js'
import { sql } from '../../harness/sql.js'

const cluster = routedCluster({
  schema: `create table item (id int primary key, value int not null);
    insert into item select id, 0 from generate_series(1, 100) id`,
})

const update = 'update item set value = value + 1 where id = $1 returning value'
const select = 'select value from item where id = $1'

/** What node-postgres knows of a connection. */
type Opened = { readonly port: number; readonly pipeline?: boolean }

/** What the servers' processes that answer the pool have last been asked, without those of the watch. */
async function lastAsked(): Promise<readonly string[]> {
  const rows = await sql<{ query: string }>(
    cluster.sandbox.primary.url,
    `select query from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`,
  )
  return rows.map(({ query }) => query)
}

/** A pool whose reads wait for the positions of its commits. */
async function readingPool(options: { readonly max?: number } = {}): Promise<Pool> {
  const pool = await cluster.openPool(options)
  for (let round = 0; round < 5; round += 1) await writeAndRead(pool)
  return pool
}

async function writeAndRead(pool: Pool, id = 1): Promise<void> {
  const { rows } = await pool.query(update, [id])
  const seen = await pool.query(select, [id])
  expect(seen.rows[0].value).toBeGreaterThanOrEqual(rows[0].value)
}

describe('W2: the position of a write, while reads wait for such positions', () => {
  it('is asked on its own connection, behind its own Sync; where nobody reads it is not', async () => {
    const silent = await cluster.openPool()
    await silent.query(update, [2])
    expect(await lastAsked()).toContain(update)
    await silent.end()
    const pool = await readingPool()
    await writeAndRead(pool)
    const asked = await lastAsked()
    expect(asked).toContainEqual(expect.stringMatching(/^select pg_catalog.pg_current_wal_insert_lsn/))
    expect(asked).not.toContain(update)
  })

  it('lets each of many writers read its own writes on replicas', async () => {
    const opened: Opened[] = []
    const pool = cluster.makePool()
    pool.on('connect', (client) => opened.push(client as unknown as Opened))
    await writeAndRead(pool)
    const before = pool.stats().byReason
    const writers = Array.from({ length: 40 }, async (_each, at) => {
      for (let round = 0; round < 25; round += 1) await writeAndRead(pool, 1 + at)
    })
    await Promise.all(writers)
    const { byReason } = pool.stats()
    expect(byReason['history-unknown'] ?? 0).toBe(before['history-unknown'] ?? 0)
    await vi.waitUntil(() => pool.stats().nodes.every(({ inFlight }) => inFlight === 0))
    const onPrimary = opened.filter(({ port }) => port === cluster.sandbox.primary.port)
    await vi.waitUntil(() => onPrimary.every(({ pipeline }) => pipeline !== true))
  })

  it('does not change how a write fails, nor whom its connection serves then', async () => {
    const pool = await readingPool({ max: 1 })
    const failing = [
      { call: () => pool.query('insert into item values ($1, 1)', [1]), code: '23505' },
      { call: () => pool.query('update item set value = $1', ['no number']), code: '22P02' },
      { call: () => pool.query('update nowhere set value = 1'), code: '42P01' },
    ]
    for (const { call, code } of failing) {
      await expect(call()).rejects.toMatchObject({ code })
      await writeAndRead(pool)
    }
    const unsendable = {
      toPostgres: () => {
        throw new Error('no such value')
      },
    }
    await expect(pool.query(update, [unsendable])).rejects.toThrow('no such value')
    await writeAndRead(pool)
    const client = await pool.connect()
    await client.query('begin')
    await client.query(update, [3])
    await client.query('commit')
    client.release()
    await writeAndRead(pool)
  })
})
