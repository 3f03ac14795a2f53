import { afterEach, describe, expect, it } from 'vitest'
import { type Sandbox, startSandbox } from '../../../packages/maestra/src/index.js'
import { LoadedPool, ledgerTable } from '../../harness/loaded-pool.js'
import { poolUrl } from '../../harness/pool-url.js'
import { sql, untilRows } from '../../harness/sql.js'

const roles = [
  { user: 'app', password: 'app' },
  { user: 'watcher', password: 'watcher' },
] as const
const options = ['serve', 'wait'] as const

let sandbox: Sandbox
let pools: LoadedPool[] = []

afterEach(async () => {
  // What still waits for a server ends when they are gone.
  await sandbox?.stop()
  await Promise.all(pools.map((each) => each.end()))
  pools = []
})

/** A plain role and one with pg_monitor, with both options, each a long-lived pool under load. */
async function start(): Promise<void> {
  sandbox = await startSandbox({ replicas: 2 })
  const { url } = sandbox.primary
  await sql(url, ledgerTable)
  for (const { user, password } of roles) await sql(url, `create role ${user} login password '${password}'`)
  await sql(url, 'grant pg_monitor to watcher')
  await sql(url, 'grant select, insert on ledger to app, watcher')
  for (const replica of sandbox.replicas) {
    await untilRows(replica.url, `select has_table_privilege('watcher', 'ledger', 'insert') as may`, [{ may: true }])
  }
  pools = roles.flatMap((role) =>
    options.map((whenPrimaryAway) => {
      const connectionString = poolUrl(sandbox.nodes, role)
      return new LoadedPool(`${role.user}-${whenPrimaryAway}`, {
        connectionString,
        whenPrimaryAway,
        max: 5,
        waitMs: 25_000,
      })
    }),
  )
  for (const pool of pools) pool.start({ writers: 2, readers: 1 })
  await all((pool) => pool.untilAcknowledged(20))
}

/** What is looked for in the records begins here. A primary that is slow for a second on a busy machine is away as well. */
function mark(): void {
  for (const pool of pools) pool.mark = pool.happenings.length
}

const all = (work: (pool: LoadedPool) => Promise<void>) => Promise.all(pools.map(work))
const serving = () => pools.filter(({ name }) => name.endsWith('serve'))

async function ledgerOf({ url }: { readonly url: string }): Promise<ReadonlySet<string>> {
  return new Set((await sql<{ id: string }>(url, 'select id from ledger')).map(({ id }) => id))
}

/** Reads that were issued and answered between two places of the record. */
function readsWithin({ happenings }: LoadedPool, from: number, to: number): number {
  return happenings.slice(from, to).filter((each) => each.kind === 'read' && each.issued >= from).length
}

function expectNoneRunTwice(pool: LoadedPool, rows: ReadonlySet<string>): void {
  expect(pool.refused.filter(({ code }) => code === '23505')).toEqual([])
  for (const refused of pool.refused) {
    expect(['not-started', 'rolled-back', 'unknown'], JSON.stringify(refused)).toContain(refused.outcome)
    if (refused.outcome !== 'unknown') expect(rows.has(refused.id), JSON.stringify(refused)).toBe(false)
  }
}

describe('a promotion under load, at pools of a plain role and of one with pg_monitor, that serve and that wait', () => {
  it('T4: loses nothing with a synchronous standby; reads go on without a primary, or wait where that was asked for', async () => {
    await start()
    await sql(sandbox.primary.url, `alter system set synchronous_standby_names = 'db2'`)
    await sql(sandbox.primary.url, 'select pg_reload_conf()')
    await untilRows(sandbox.primary.url, `select sync_state from pg_stat_replication where application_name = 'db2'`, [
      { sync_state: 'sync' },
    ])
    await all((pool) => pool.untilAcknowledged(20))
    mark()
    await sandbox.primary.kill()
    await all((pool) => pool.untilEvent('primary-away'))
    await Promise.all(serving().map((pool) => pool.untilRead(20, 'session')))
    await Promise.all(serving().map((pool) => pool.untilRead(20, 'pool')))
    await sandbox.promote('db2')
    const promotedAt = performance.now()
    await all((pool) => pool.untilAcknowledged(1))
    console.info(`first writes of all four pools ${Math.round(performance.now() - promotedAt)} ms after the promotion`)
    await all((pool) => pool.untilAcknowledged(20))
    await all((pool) => pool.untilRead(20, 'pool'))
    await all((pool) => pool.stop())
    const rows = await ledgerOf(sandbox.primary)
    for (const pool of pools) {
      expect(pool.acknowledged.filter((id) => !rows.has(id))).toEqual([])
      expect(pool.failedReads).toEqual([])
      expectNoneRunTwice(pool, rows)
      const [away, changed] = [pool.indexOf('primary-away'), pool.indexOf('primary-changed')]
      expect(away).toBeGreaterThanOrEqual(0)
      expect(changed).toBeGreaterThan(away)
      if (pool.name.endsWith('wait')) expect(readsWithin(pool, away + 1, changed)).toBe(0)
    }
  })

  it('T7: tells of every write that it lost, in the order of the events; none of those that it kept is run again', async () => {
    await start()
    for (const replica of sandbox.replicas) await replica.cut()
    await all((pool) => pool.untilAcknowledged(20))
    mark()
    await sandbox.primary.kill()
    await all((pool) => pool.untilEvent('primary-away'))
    await Promise.all(serving().map((pool) => pool.untilRead(20, 'session')))
    await sandbox.promote('db2')
    await all((pool) => pool.untilAcknowledged(20))
    await all((pool) => pool.untilRead(20, 'pool'))
    await all((pool) => pool.stop())
    const rows = await ledgerOf(sandbox.primary)
    for (const pool of pools) {
      const missing = new Set(pool.acknowledged.filter((id) => !rows.has(id)))
      expect(missing.size).toBeGreaterThan(0)
      const lastMissing = pool.happenings.findLastIndex((each) => each.kind === 'acknowledged' && missing.has(each.id))
      const [away, changed] = [pool.indexOf('primary-away'), pool.indexOf('primary-changed')]
      expect(lastMissing).toBeLessThan(away)
      expect(away).toBeLessThan(changed)
      expect(pool.lastIndexOf('writes-lost', 'writes-uncertain')).toBeGreaterThan(lastMissing)
      expect(pool.indexOf('writes-lost')).toBeGreaterThan(away)
      expect(pool.failedReads).toEqual([])
      expectNoneRunTwice(pool, rows)
    }
  })

  it('T6: writes nothing to a former primary that was frozen while another was promoted, and goes on', async () => {
    await start()
    const old = sandbox.primary
    mark()
    await old.freeze()
    await all((pool) => pool.untilEvent('primary-away'))
    await sandbox.promote('db2')
    await all((pool) => pool.untilAcknowledged(20))
    const before = pools.map((pool) => pool.happenings.length)
    await old.thaw()
    await all((pool) => pool.untilAcknowledged(50))
    await all((pool) => pool.untilRead(20, 'pool'))
    await all((pool) => pool.stop())
    const rows = await ledgerOf(sandbox.primary)
    const there = await ledgerOf(old)
    for (const [index, pool] of pools.entries()) {
      const since = pool.happenings
        .slice(before[index])
        .flatMap((each) => (each.kind === 'acknowledged' || each.kind === 'refused' ? [each.id] : []))
      expect(since.length).toBeGreaterThanOrEqual(50)
      expect(since.filter((id) => there.has(id))).toEqual([])
      expect(pool.failedReads).toEqual([])
      expectNoneRunTwice(pool, rows)
    }
  })
})
