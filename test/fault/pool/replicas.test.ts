import { execFileSync } from 'node:child_process'
import { cpSync, rmSync } from 'node:fs'
import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Pool } from '../../../packages/client/src/index.js'
import type { SandboxNode } from '../../../packages/maestra/src/index.js'
import type { CheckedLoad } from '../../harness/checked-load.js'
import { LinkedLoad, unharmed } from '../../harness/linked-load.js'
import { LinkedServers } from '../../harness/linked-servers.js'
import { sql, untilRows } from '../../harness/sql.js'
import { untilSeen } from '../../harness/until-seen.js'

let servers: LinkedServers
let db1: SandboxNode
let db2: SandboxNode
let db3: SandboxNode
let linked: LinkedLoad
let load: CheckedLoad

beforeAll(async () => {
  servers = await LinkedServers.start()
  ;[db1, db2, db3] = servers.nodes
})
beforeEach(async () => {
  linked = await LinkedLoad.begin(servers)
  load = linked.load
})
afterEach(() => linked?.end())
afterAll(() => servers?.end())

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

describe('a replica', () => {
  it('R2: whose process was killed, so that the server starts again by itself with what it had replayed before, serves nothing old', async () => {
    for (let round = 0; round < 3; round += 1) {
      process.kill(await readingOn(db2), 'SIGKILL')
      await load.untilRead(200)
      await linked.untilInService(1)
    }
    await load.stop()
    expect(linked.harmed).toEqual(unharmed)
  })

  it('R2: that comes back on the same port with an older data directory serves nothing old', async () => {
    const [data, older] = [`${servers.sandbox.directory}/db2`, `${servers.sandbox.directory}/db2-older`]
    await db2.kill()
    cpSync(data, older, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true })
    copyOwners(data, older)
    await db2.start()
    await linked.untilInService(1)
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
    await linked.untilInService(1)
    await load.stop()
    expect(linked.harmed).toEqual(unharmed)
  })

  it('R2: behind whose address another one stands all at once serves nothing old', async () => {
    await db3.pause()
    try {
      await load.untilRead(100)
      // From here on what was said of either is said of the other; some connections are of before.
      servers.links[1].lead(db3)
      servers.links[2].lead(db2)
      await load.untilRead(100)
      servers.links[1].breakAll()
      await load.untilRead(100)
      servers.links[2].breakAll()
      await load.untilRead(100)
    } finally {
      await db3.resume()
      servers.links[1].lead(db2)
      servers.links[2].lead(db3)
      servers.links[1].breakAll()
      servers.links[2].breakAll()
    }
    await linked.untilInService(1)
    await linked.untilInService(2)
    await load.stop()
    expect(linked.harmed).toEqual(unharmed)
  })

  it('R1: none at all is there for a while: the primary answers, and they are used again when they are back', async () => {
    // One after the other: a read is sent again once (rule R7), so of two that die under it the second one fails it.
    await db2.kill()
    await linked.untilEjected(1)
    await db3.kill()
    await linked.untilEjected(2)
    await load.untilRead(100)
    await Promise.all([db2.start(), db3.start()])
    await linked.untilInService(1)
    await linked.untilInService(2)
    await load.stop()
    expect(linked.harmed).toEqual(unharmed)
  })

  it('R7: that hangs keeps no read waiting that has to open a connection there, nor the end of its pool', async () => {
    const pool = new Pool({ connectionString: servers.url })
    const [{ count }] = (await pool.query('select count(*)::int as count from counter')).rows
    await untilSeen(
      'reads on replicas',
      () => pool.explainRoute('select count(*)::int as count from counter').node,
      (node) => node !== servers.addressOf(0),
    )
    const isEjected = new Promise((resolve) => void pool.once('node-ejected', resolve))
    servers.links[1].hold()
    try {
      // Texts of which nobody knows how long they take have connections of their own: more than there are.
      const read = (at: number) => pool.query(`select count(*)::int as count, ${at} as at from counter`)
      const answers = await Promise.all(Array.from({ length: 60 }, (_each, at) => read(at)))
      expect(answers.map(({ rows }) => rows[0])).toEqual(answers.map((_each, at) => ({ count, at })))
      await isEjected
      expect(pool.stats().nodes[1]).toMatchObject({ inFlight: 0, totalCount: 0, waitingCount: 0 })
      await pool.end()
    } finally {
      servers.links[1].mend()
    }
  })
})

describe('the primary', () => {
  it('T4: that is restarted after a crash fails no read, and has all that was acknowledged', async () => {
    await db1.kill()
    await linked.untilEvent('primary-away')
    await db1.start()
    await linked.untilInService(0)
    await load.untilRead(100)
    await load.stop()
    expect(linked.harmed).toEqual(unharmed)
  })

  it('W6: that hangs does not keep a pool from its end when who waited for a connection there has given up', async () => {
    const pool = new Pool({ connectionString: servers.url })
    const client = await pool.connect()
    await client.query('begin')
    servers.links[0].hold()
    try {
      const given = new AbortController()
      const update = { text: 'update counter set value = 0 where id = 0', signal: given.signal } as { text: string }
      const writing = pool.query(update).catch((error) => ({ name: error.name, outcome: error.outcome }))
      given.abort()
      expect(await writing).toEqual({ name: 'AbortError', outcome: 'not-started' })
      client.release(true)
      await pool.end()
    } finally {
      servers.links[0].mend()
    }
  })

  it('W4: that holds what a bulk writer has not committed answers, and so do the replicas', async () => {
    const client = await linked.pool.connect()
    await client.query('create table if not exists bulk (line text)')
    await client.query('begin')
    for (let round = 0; round < 10; round += 1) {
      await client.query(`insert into bulk select repeat('x', 100) from generate_series(1, 3000)`)
      await load.untilRead(20)
      await linked.pool.query({ text: 'select count(*) from counter', consistency: 'strong' } as { text: string })
    }
    await client.query('rollback')
    client.release()
    await linked.untilInService(1)
    await load.stop()
    expect(linked.harmed).toEqual(unharmed)
    expect(load.failedWrites).toEqual([])
  })

  it('W5: that lost what was committed asynchronously, when one of its processes was killed, is told by an event', async () => {
    await load.stop()
    await sql(db1.url, `alter system set wal_writer_delay = '10s'`)
    await sql(db1.url, 'select pg_reload_conf()')
    const { connectionString } = linked.pool.options
    const hasty = new Pool({ connectionString, options: '-c synchronous_commit=off' })
    hasty.on('writes-uncertain', (event) => void linked.events.push(event))
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
      const told = linked.events.some(({ kind }) => kind === 'writes-uncertain')
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
