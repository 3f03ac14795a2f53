import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import type pg from 'pg'
import { afterEach, describe, expect, it } from 'vitest'
import { Pool, type PoolOptions } from '../../../packages/client/src/index.js'
import { type Sandbox, type SandboxNode, startSandbox } from '../../../packages/maestra/src/index.js'
import { CheckedLoad } from '../../harness/checked-load.js'
import { counterTable } from '../../harness/counters.js'
import { poolUrl } from '../../harness/pool-url.js'
import { sql, untilRows } from '../../harness/sql.js'

const workers = 64

let sandbox: Sandbox | undefined
let watched: LanedPool | undefined

afterEach(async () => {
  await watched?.end()
  await sandbox?.stop()
})

/** A pool whose workers write and read back what they wrote, and that counts how often a connection to each server became a lane. */
class LanedPool {
  readonly pool: Pool
  readonly load: CheckedLoad
  readonly lanes = new Map<number, number>()

  constructor(options: PoolOptions) {
    this.pool = new Pool(options)
    this.pool.on('connect', (client) => this.#count(client as unknown as pg.PoolClient))
    this.load = new CheckedLoad(
      this.pool,
      Array.from({ length: workers }, (_each, at) => at + 1),
    )
  }

  /** Until reads have shared connections of that server so many times more. */
  async untilInLanes({ name, port }: SandboxNode, more: number): Promise<void> {
    const wanted = (this.lanes.get(port) ?? 0) + more
    await waitUntil(
      () => {
        const count = this.lanes.get(port) ?? 0
        return count >= wanted
          ? { done: true, value: undefined }
          : { done: false, seen: `${count} of ${wanted}, ${JSON.stringify(this.pool.stats())}` }
      },
      { awaited: `reads that share connections of ${name}`, deadline: Deadline.after(30_000) },
    )
  }

  async end(): Promise<void> {
    await this.load.stop()
    if (!this.pool.ending) await this.pool.end()
  }

  /** A connection to a replica is pipelined exactly while it is a lane; one to the primary also while a write has its position asked. */
  #count(client: pg.PoolClient): void {
    const { lanes } = this
    const { port } = client as unknown as { port: number }
    let isLane = false
    Object.defineProperty(client, 'pipeline', {
      get: () => isLane,
      set: (isOn: boolean) => {
        isLane = isOn
        if (isOn) lanes.set(port, (lanes.get(port) ?? 0) + 1)
      },
    })
  }
}

/** Commits wait for db2, so that its promotion loses none. */
async function start(user: string, options: PoolOptions): Promise<Sandbox> {
  const started = await startSandbox({ replicas: 2 })
  sandbox = started
  const { url } = started.primary
  await sql(url, counterTable)
  await sql(url, `insert into counter select id, 0 from generate_series(1, ${workers}) id`)
  await sql(url, `create role ${user} login password '${user}'`)
  if (user === 'watcher') await sql(url, 'grant pg_monitor to watcher')
  await sql(url, `grant select, update on counter to ${user}`)
  await sql(url, `alter system set synchronous_standby_names = 'db2'`)
  await sql(url, 'select pg_reload_conf()')
  await untilRows(url, `select sync_state from pg_stat_replication where application_name = 'db2'`, [
    { sync_state: 'sync' },
  ])
  for (const replica of started.replicas) {
    await untilRows(replica.url, `select has_table_privilege('${user}', 'counter', 'update') as may`, [{ may: true }])
  }
  watched = new LanedPool({ connectionString: poolUrl(started.nodes, { user, password: user }), ...options })
  return started
}

describe('a promotion while 64 workers read in lanes what they have just written', () => {
  it.each([
    { user: 'app', options: {} },
    { user: 'watcher', options: {} },
    { user: 'watcher', options: { lanes: 'prepared', whenPrimaryAway: 'wait' } },
  ] as const)(
    'R3: shows no read less than its own write, and loses none: $user, $options',
    async ({ user, options }) => {
      const servers = await start(user, { ...options, max: 8, waitMs: 25_000 })
      const { pool, load } = watched as LanedPool
      const [db1, db2, db3] = servers.nodes as [SandboxNode, SandboxNode, SandboxNode]
      for (const replica of [db2, db3]) await watched?.untilInLanes(replica, 20)
      await load.untilRead(500)
      await db1.kill()
      await servers.promote('db2')
      await load.untilRead(500)
      // A plain role sees by a restart point alone that a replica follows the new timeline.
      await sql(db2.url, 'checkpoint')
      const [row] = await sql(db2.url, 'select pg_current_wal_lsn()::text as lsn')
      await untilRows(db3.url, `select pg_last_wal_replay_lsn() >= '${row?.['lsn']}' as has`, [{ has: true }])
      await sql(db3.url, 'checkpoint')
      await watched?.untilInLanes(db3, 20)
      await load.untilRead(500)
      await load.stop()
      expect({ stale: load.stale, failed: load.failedReads }).toEqual({ stale: [], failed: [] })
      const { nodes } = pool.stats()
      expect(nodes.map(({ inFlight, waitingCount }) => inFlight + waitingCount)).toEqual([0, 0, 0])
      await pool.end()
      expect(pool.totalCount).toBe(0)
    },
  )
})
