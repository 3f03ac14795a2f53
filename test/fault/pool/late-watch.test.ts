import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Pool } from '../../../packages/client/src/index.js'
import { askIdentity } from '../../../packages/client/src/pool/connections/server-identity.js'
import type { SandboxNode } from '../../../packages/maestra/src/index.js'
import { LinkedServers } from '../../harness/linked-servers.js'
import { sql, untilRows } from '../../harness/sql.js'

let servers: LinkedServers
let db1: SandboxNode
let db2: SandboxNode
let db3: SandboxNode

beforeAll(async () => {
  servers = await LinkedServers.start()
  ;[db1, db2, db3] = servers.nodes
  await sql(db1.url, `create role app login password 'app'; create role watcher login password 'watcher'`)
  await sql(db1.url, 'grant pg_monitor to watcher; grant select, update on counter to watcher')
  await sql(db1.url, 'create table filler (line text); insert into counter values (1, 0)')
  await untilRows(db3.url, 'select value from counter', [{ value: 0 }])
})
afterAll(() => servers?.end())

/** The timeline that a new connection knows of its replica. */
async function timelineSeenBy(user: string): Promise<number | undefined> {
  const { host, port } = db3
  const client = new pg.Client({ host, port, user, password: user, database: 'postgres' })
  await client.connect()
  try {
    return (await askIdentity(client)).progress?.receivedTimeline
  } finally {
    await client.end()
  }
}

describe('T4: with pg_monitor a replica that follows another primary', () => {
  it('T4: has its timeline looked at when a connection is opened; a plain role does not see it', async () => {
    expect([await timelineSeenBy('watcher'), await timelineSeenBy('app')]).toEqual([1, undefined])
  })

  it('T4: serves nothing old on connections that were opened since, before those that watch have heard of it', async () => {
    const { links, sandbox, url } = servers
    // Each read has a connection of its own, which was opened for it.
    const pool = new Pool({ connectionString: url.replace(/\/\/.*@/, '//watcher:watcher@'), maxUses: 1 })
    const write = (value: number) => pool.query('update counter set value = $1 where id = 1', [value])
    const valueNow = async () => (await pool.query('select value from counter where id = 1')).rows[0].value
    for (let value = 1; value <= 20; value += 1) {
      await write(value)
      expect(await valueNow()).toBe(value)
    }
    // The first connection through each link is the one that watches.
    for (const link of [links[1], links[2]]) [...link.connections][0]?.holdAnswers()
    await sandbox.promote('db2')
    await sql(db2.url, `insert into filler select repeat('x', 1000) from generate_series(1, 3000)`)
    const [row] = await sql(db1.url, 'select pg_current_wal_insert_lsn()::text as lsn')
    await untilRows(db3.url, `select pg_last_wal_replay_lsn() > '${row?.['lsn']}'::pg_lsn + 100000 as is_further`, [
      { is_further: true },
    ])
    // The former primary goes on, and nobody has told the pool. When it has found out, what was written there is lost.
    let isTold = false
    pool.once('primary-changed', () => {
      isTold = true
    })
    for (let value = 21; value <= 26; value += 1) {
      await write(value)
      const seen = await valueNow()
      if (isTold) break
      expect(seen).toBe(value)
    }
    for (const link of [links[1], links[2]]) for (const connection of link.connections) connection.letGo()
    await pool.end()
  })

  it('T4: shows its new timeline to a new connection', async () => {
    expect(await timelineSeenBy('watcher')).toBe(2)
  })
})
