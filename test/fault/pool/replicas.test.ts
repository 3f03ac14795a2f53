import { execFileSync } from 'node:child_process'
import { cpSync, rmSync } from 'node:fs'
import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Pool, type RoutingEvent } from '../../../packages/client/src/index.js'
import { type Sandbox, type SandboxNode, startSandbox } from '../../../packages/maestra/src/index.js'
import { CheckedLoad } from '../../harness/checked-load.js'
import { counterTable } from '../../harness/counters.js'
import { FaultyLink } from '../../harness/faulty-link.js'
import { sql, untilRows } from '../../harness/sql.js'

let sandbox: Sandbox
let db1: SandboxNode
let db2: SandboxNode
let db3: SandboxNode
/** One before each server. */
let links: [FaultyLink, FaultyLink, FaultyLink]
let pool: Pool
let events: RoutingEvent[]
let load: CheckedLoad

const rows = 8

beforeAll(async () => {
  sandbox = await startSandbox({ replicas: 2 })
  ;[db1, db2, db3] = [sandbox.node('db1'), sandbox.node('db2'), sandbox.node('db3')]
  await sql(db1.url, counterTable)
  links = [await FaultyLink.to(db1), await FaultyLink.to(db2), await FaultyLink.to(db3)]
})
afterAll(async () => {
  await sandbox?.stop()
  await Promise.all(links.map((link) => link.close()))
})

beforeEach(async () => {
  await sql(db1.url, `truncate counter`)
  await sql(db1.url, `insert into counter select id, 0 from generate_series(1, ${rows}) id`)
  const { username, password } = new URL(db1.url)
  const hosts = links.map(({ host, port }) => `${host}:${port}`).join(',')
  events = []
  pool = new Pool({ connectionString: `postgresql://${username}:${password}@${hosts}/postgres`, max: 6 })
  for (const kind of ['node-ejected', 'node-back', 'writes-uncertain', 'writes-lost', 'primary-away'] as const) {
    pool.on(kind, (event) => void events.push(event))
  }
  load = new CheckedLoad(
    pool,
    Array.from({ length: rows }, (_, id) => id + 1),
  )
  await untilInService(0)
  await untilInService(1)
  await untilInService(2)
})
afterEach(async () => {
  await load.stop()
  await pool.end()
})

const addressOf = (which: 0 | 1 | 2) => `${links[which].host}:${links[which].port}`
const nodeOf = (which: 0 | 1 | 2) => pool.stats().nodes.find(({ address }) => address === addressOf(which))

/** Until statements reach it, within the time that it has to be back in. */
async function untilInService(which: 0 | 1 | 2): Promise<void> {
  const before = nodeOf(which)?.statements ?? 0
  await waitUntil(
    () => {
      const node = nodeOf(which)
      const isUsed = (node?.statements ?? 0) > before && node?.ejected === undefined
      return isUsed ? { done: true, value: undefined } : { done: false, seen: JSON.stringify(node) }
    },
    { awaited: `statements on ${addressOf(which)}`, deadline: Deadline.after(10_000) },
  )
}

async function untilEvent(kind: RoutingEvent['kind'], isMeant = (_: RoutingEvent) => true): Promise<void> {
  await waitUntil(
    () => {
      const isThere = events.some((event) => event.kind === kind && isMeant(event))
      return isThere ? { done: true, value: undefined } : { done: false, seen: JSON.stringify(events) }
    },
    { awaited: `event ${kind}`, deadline: Deadline.after(20_000) },
  )
}

const untilEjected = (which: 0 | 1 | 2) =>
  untilEvent('node-ejected', (event) => event.kind === 'node-ejected' && event.address === addressOf(which))

function expectNoReadHarmed(): void {
  expect(load.stale).toEqual([])
  expect(load.failedReads).toEqual([])
}

/** A process that has just read for the pool. What an idle connection ran last may be a question of the pool's own. */
async function readingOn({ url }: SandboxNode): Promise<number> {
  const text = `select pid from pg_stat_activity where query like '%counter%' and pid <> pg_backend_pid() limit 1`
  return await waitUntil<number>(
    async () => {
      const [backend] = await sql<{ pid: number }>(url, text)
      return backend === undefined ? { done: false, seen: 'none' } : { done: true, value: backend.pid }
    },
    { awaited: 'a connection that has read', deadline: Deadline.after(10_000) },
  )
}

const reportText = `select count(*) from generate_series(1, 12000000) report`

/** The process of a report on a server. */
async function reportOn({ url }: SandboxNode): Promise<number | undefined> {
  const [row] = await sql<{ pid: number }>(
    url,
    `select pid from pg_stat_activity where state = 'active' and query = '${reportText}'`,
  )
  return row?.pid
}

type Running = { readonly report: Promise<unknown>; readonly pid: number; readonly on: 1 | 2 }

/** Begins a report, which needs nothing that is written now, and finds the replica that it is on. */
async function startReport(): Promise<Running> {
  const report = pool.session(() => pool.query(reportText))
  report.catch(() => {})
  return await waitUntil<Running>(
    async () => {
      for (const on of [1, 2] as const) {
        const pid = await reportOn(on === 1 ? db2 : db3)
        if (pid !== undefined) return { done: true, value: { report, pid, on } }
      }
      return { done: false, seen: 'none' }
    },
    { awaited: 'a report on a replica', deadline: Deadline.after(10_000) },
  )
}

describe('a replica', () => {
  it.each([
    { fault: 'is killed', harm: (node: SandboxNode) => node.kill(), heal: (node: SandboxNode) => node.start() },
    { fault: 'is frozen', harm: (node: SandboxNode) => node.freeze(), heal: (node: SandboxNode) => node.thaw() },
    {
      fault: 'is cut off',
      harm: (_: SandboxNode, link: FaultyLink) => link.cut(),
      heal: (_: SandboxNode, link: FaultyLink) => link.mend(),
    },
    {
      fault: 'does not hear or say a thing any more',
      harm: (_: SandboxNode, link: FaultyLink) => link.hold(),
      heal: (_: SandboxNode, link: FaultyLink) => link.mend(),
    },
  ])('R7: that $fault fails no read, disturbs no report on the other, and is back soon', async ({ harm, heal }) => {
    const { report, pid, on } = await startReport()
    const [well, which] = on === 1 ? [db2, 2 as const] : [db3, 1 as const]
    const ill = which === 1 ? db2 : db3
    await harm(ill, links[which])
    try {
      await untilEjected(which)
      await load.untilRead(50)
      // Its connection is there still, whether it has come to its end or not.
      expect(await sql(well.url, `select pid from pg_stat_activity where pid = ${pid}`)).toEqual([{ pid }])
      await report
    } finally {
      await heal(ill, links[which])
    }
    await untilInService(which)
    await load.stop()
    expectNoReadHarmed()
    expect(load.failedWrites).toEqual([])
  })

  it('R2: whose process was killed, so that the server starts again by itself with what it had replayed before, serves nothing old', async () => {
    for (let round = 0; round < 3; round += 1) {
      process.kill(await readingOn(db2), 'SIGKILL')
      await load.untilRead(200)
      await untilInService(1)
    }
    await load.stop()
    expectNoReadHarmed()
  })

  it('R2: that comes back on the same port with an older data directory serves nothing old', async () => {
    const [data, older] = [`${sandbox.directory}/db2`, `${sandbox.directory}/db2-older`]
    await db2.kill()
    cpSync(data, older, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true })
    copyOwners(data, older)
    await db2.start()
    await untilInService(1)
    await load.untilRead(200)
    await db2.cut()
    await db2.kill()
    rmSync(data, { recursive: true })
    cpSync(older, data, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true })
    copyOwners(older, data)
    rmSync(older, { recursive: true })
    await db2.start()
    // It is up, and has nothing of what was written since; nor does it get that.
    await untilRows(db2.url, 'select pg_is_in_recovery() as standby', [{ standby: true }])
    await load.untilRead(300)
    await db2.mend()
    await untilInService(1)
    await load.stop()
    expectNoReadHarmed()
  })

  it('R2: behind whose address another one stands all at once serves nothing old', async () => {
    await db3.pause()
    try {
      await load.untilRead(100)
      // From here on what was said of either is said of the other; some connections are of before.
      links[1].lead(db3)
      links[2].lead(db2)
      await load.untilRead(100)
      links[1].breakAll()
      await load.untilRead(100)
      links[2].breakAll()
      await load.untilRead(100)
    } finally {
      await db3.resume()
      links[1].lead(db2)
      links[2].lead(db3)
      links[1].breakAll()
      links[2].breakAll()
    }
    await untilInService(1)
    await untilInService(2)
    await load.stop()
    expectNoReadHarmed()
  })

  it('R1: none at all is there for a while: the primary answers, and they are used again when they are back', async () => {
    // One after the other: a read is sent again once (rule R7), so of two that die under it the second one fails it.
    await db2.kill()
    await untilEjected(1)
    await db3.kill()
    await untilEjected(2)
    await load.untilRead(100)
    await Promise.all([db2.start(), db3.start()])
    await untilInService(1)
    await untilInService(2)
    await load.stop()
    expectNoReadHarmed()
  })
})

describe('the primary', () => {
  it('T4: that is restarted after a crash fails no read, and has all that was acknowledged', async () => {
    await db1.kill()
    await untilEvent('primary-away')
    await db1.start()
    await untilInService(0)
    await load.untilRead(100)
    await load.stop()
    expectNoReadHarmed()
  })

  it('W4: that holds what a bulk writer has not committed answers, and so do the replicas', async () => {
    const client = await pool.connect()
    await client.query('create table if not exists bulk (line text)')
    await client.query('begin')
    for (let round = 0; round < 10; round += 1) {
      await client.query(`insert into bulk select repeat('x', 100) from generate_series(1, 3000)`)
      await load.untilRead(20)
      await pool.query({ text: 'select count(*) from counter', consistency: 'strong' } as { text: string })
    }
    await client.query('rollback')
    client.release()
    await untilInService(1)
    await load.stop()
    expectNoReadHarmed()
    expect(load.failedWrites).toEqual([])
  })

  it('W5: that lost what was committed asynchronously, when one of its processes was killed, is told by an event', async () => {
    await load.stop()
    await sql(db1.url, `alter system set wal_writer_delay = '10s'`)
    await sql(db1.url, 'select pg_reload_conf()')
    const { connectionString } = pool.options
    const hasty = new Pool({ connectionString, options: '-c synchronous_commit=off' })
    hasty.on('writes-uncertain', (event) => void events.push(event))
    hasty.on('error', () => {})
    try {
      await hasty.query('update counter set value = 1 where id = 1')
      const [before] = await sql<{ started: string }>(db1.url, `select pg_postmaster_start_time()::text as started`)
      // What is written and not flushed is in shared memory alone.
      await hasty.query('update counter set value = 1000000 where id = 1')
      const { rows: pids } = await hasty.query('/* maestra: primary */ select pg_backend_pid() as pid')
      process.kill(pids[0].pid, 'SIGKILL')
      await waitUntil(
        async () => {
          const found = await sql<{ value: number }>(db1.url, 'select value from counter where id = 1').catch(() => [])
          return found.length === 1
            ? { done: true, value: undefined }
            : { done: false, seen: 'no connection to the primary' }
        },
        { awaited: 'the primary to be back', deadline: Deadline.after(20_000) },
      )
      const [after] = await sql<{ started: string }>(db1.url, `select pg_postmaster_start_time()::text as started`)
      expect(after).toEqual(before)
      const [there] = await sql<{ value: number }>(db1.url, 'select value from counter where id = 1')
      const isLost = there?.value !== 1_000_000
      const { rows: seen } = await hasty.query('select value from counter where id = 1')
      expect(seen[0].value).toBe(there?.value)
      const told = events.some(({ kind }) => kind === 'writes-uncertain')
      expect({ isLost, told }).toEqual({ isLost: true, told: true })
    } finally {
      await hasty.end()
      await sql(db1.url, 'alter system reset wal_writer_delay')
      await sql(db1.url, 'select pg_reload_conf()')
    }
  })
})

/** The account that owns the data has to own the copy, and what cannot be entered by others. */
function copyOwners(from: string, to: string): void {
  execFileSync('chown', ['-R', `--reference=${from}`, to])
  execFileSync('chmod', [`--reference=${from}`, to])
}
