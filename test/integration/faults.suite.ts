import { readFile } from 'node:fs/promises'
import { type Sandbox, type SandboxNode, startSandbox } from 'maestra'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isRunning, isStopped, processesBelow } from '../harness/processes.js'
import { runningServer } from '../harness/servers.js'
import { sql, untilRows } from '../harness/sql.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

let workspace: Workspace
let shop: Sandbox
let db1: SandboxNode
let db2: SandboxNode
let db3: SandboxNode

let sales = 0

/** Sells once more; the id of the sale, and the position behind its commit. */
async function sell(on = shop.primary): Promise<{ readonly id: number; readonly lsn: string }> {
  sales += 1
  await sql(on.url, `insert into sale values (${sales})`)
  const rows = await sql<{ lsn: string }>(on.url, 'select pg_current_wal_insert_lsn()::text as lsn')
  return { id: sales, lsn: rows[0]?.lsn ?? '' }
}

const sold = async (on: SandboxNode, id: number): Promise<boolean> =>
  (await sql(on.url, `select from sale where id = ${id}`)).length === 1

const untilSold = (on: SandboxNode, id: number) =>
  untilRows(on.url, `select count(*)::int from sale where id = ${id}`, [{ count: 1 }])

/** Until a replica has on its disk what was written before the position, replayed or not. */
const untilReceived = (on: SandboxNode, lsn: string) =>
  untilRows(on.url, `select pg_last_wal_receive_lsn() >= '${lsn}' as received`, [{ received: true }])

const pidsOf = (node: SandboxNode) => processesBelow(`${shop.directory}/${node.name}`)

/** What can be done to the servers of a sandbox, and what is seen of it by SQL and in the processes. */
export function describeFaults(major: { readonly version: number }): void {
  describe(`PostgreSQL ${major.version}`, () => {
    beforeAll(async () => {
      workspace = openWorkspace()
      process.env['MAESTRA_CACHE'] = workspace.cache
      shop = await startSandbox({ name: 'shop', replicas: 2, version: major.version })
      ;[db1, db2, db3] = ['db1', 'db2', 'db3'].map((name) => shop.node(name)) as [SandboxNode, SandboxNode, SandboxNode]
      await sql(db1.url, 'create table sale (id int primary key)')
      for (const replica of [db2, db3]) await untilRows(replica.url, 'select count(*)::int from sale', [{ count: 0 }])
    })

    afterAll(async () => {
      await shop?.stop()
      await workspace.remove()
    })

    describe('lag', () => {
      it('has a replica show a commit only later, though it has received it', async () => {
        await db2.lag('1h')
        const { id, lsn } = await sell()
        await untilSold(db3, id)
        await untilReceived(db2, lsn)
        expect(await sold(db2, id)).toBe(false)
        await db2.lag(0)
        await untilSold(db2, id)
      })

      it('outlives a restart of the replica', async () => {
        await db2.lag(3_600_000)
        await db2.kill()
        await db2.start()
        expect(await sql(db2.url, 'show recovery_min_apply_delay')).toEqual([{ recovery_min_apply_delay: '1h' }])
        const { id } = await sell()
        await untilSold(db3, id)
        // It replays again from its last restart point, and holds back what it may have shown before: that is PostgreSQL's.
        await db2.lag('0')
        await untilSold(db2, id)
      })

      it.each(['soon', '-1ms', '30d', Number.NaN, -1, 0.5])('refuses %s', async (delay) => {
        await expect(db2.lag(delay)).rejects.toMatchObject({ code: 'bad-value' })
        expect(await sql(db2.url, 'show recovery_min_apply_delay')).toEqual([{ recovery_min_apply_delay: '0' }])
      })
    })

    describe('pause', () => {
      it('has a replica receive and not replay, until it is resumed', async () => {
        await db2.pause()
        const { id, lsn } = await sell()
        await untilSold(db3, id)
        await untilReceived(db2, lsn)
        expect(await sold(db2, id)).toBe(false)
        await db2.resume()
        await untilSold(db2, id)
      })

      it('stops a late replica too, before the commit that it waits for', async () => {
        await db2.lag('1h')
        const { id, lsn } = await sell()
        await untilReceived(db2, lsn)
        await db2.pause()
        await db2.lag(0)
        await untilRows(db2.url, 'select pg_get_wal_replay_pause_state() as state', [{ state: 'paused' }])
        expect(await sold(db2, id)).toBe(false)
        await db2.resume()
        await untilSold(db2, id)
      })
    })

    describe('kill and start', () => {
      it('end every process of the primary at once, and lose no commit', async () => {
        const client = new pg.Client({ connectionString: db1.url })
        const broken = new Promise((resolve) => client.on('error', resolve))
        await client.connect()
        const { id } = await sell()
        // Its process would go on by itself for minutes: it looks at nothing while it counts.
        void client.query('select count(*) from generate_series(1, 1e12)').catch(() => {})
        await untilRows(
          db1.url,
          `select count(*)::int from pg_stat_activity where query like '%1e12%' and state = 'active' and pid <> pg_backend_pid()`,
          [{ count: 1 }],
        )
        const pids = pidsOf(db1)
        expect(pids.length).toBeGreaterThan(3)
        await db1.kill()
        expect(pids.filter(isRunning)).toEqual([])
        await broken
        await expect(sql(db1.url, 'select')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
        expect(await sold(db2, id)).toBe(true)
        await db1.start()
        expect(await sold(db1, id)).toBe(true)
        const next = await sell()
        for (const replica of [db2, db3]) await untilSold(replica, next.id)
      })

      it('change nothing where they have nothing to do', async () => {
        const pid = runningServer(`${shop.directory}/db3`)
        await db3.start()
        expect(runningServer(`${shop.directory}/db3`)).toBe(pid)
        await db3.kill()
        await db3.kill()
        await db3.start()
        expect(await sql(db3.url, `select status from pg_stat_wal_receiver`)).toEqual([{ status: 'streaming' }])
      })

      it('leave no shared memory of the killed server', async () => {
        const file = await readFile(`${shop.directory}/db3/postmaster.pid`, 'utf8')
        const [key = '', id = ''] = file.split('\n')[6]?.trim().split(/\s+/) ?? []
        const isThere = async () =>
          new RegExp(`^ *${key} +${id} `, 'm').test(await readFile('/proc/sysvipc/shm', 'utf8'))
        expect(await isThere()).toBe(true)
        await db3.kill()
        expect(await isThere()).toBe(false)
        await db3.start()
      })
    })

    describe('freeze and thaw', () => {
      it('have every process stand still, with its connections open, and go on', async () => {
        const client = new pg.Client({ connectionString: db1.url })
        client.on('error', () => {})
        await client.connect()
        await db1.freeze()
        try {
          expect(pidsOf(db1).every(isStopped)).toBe(true)
          let answered = false
          const answer = client.query('select 1 as one').then(({ rows }) => {
            answered = true
            return rows
          })
          // Somebody else answers meanwhile, so the frozen one had the time to.
          for (let asked = 0; asked < 20; asked += 1) await sql(db2.url, 'select 1')
          expect(answered).toBe(false)
          await db1.thaw()
          expect(await answer).toEqual([{ one: 1 }])
        } finally {
          await db1.thaw()
          await client.end()
        }
        expect(pidsOf(db1).some(isStopped)).toBe(false)
        const { id } = await sell()
        for (const replica of [db2, db3]) await untilSold(replica, id)
      })
    })

    describe('cut and mend', () => {
      it('stop the bytes in both directions, and neither side notices: both keep their sockets', async () => {
        const receiver = await sql(db2.url, 'select pid from pg_stat_wal_receiver')
        const sender = await sql(db1.url, `select pid from pg_stat_replication where application_name = 'db2'`)
        await db2.cut()
        const { id, lsn } = await sell()
        await untilSold(db3, id)
        // The primary has sent it, and hears nothing of it.
        await untilRows(
          db1.url,
          `select pid, state, sent_lsn >= '${lsn}' as sent, write_lsn >= '${lsn}' as heard from pg_stat_replication where application_name = 'db2'`,
          [{ pid: sender[0]?.['pid'], state: 'streaming', sent: true, heard: false }],
        )
        expect(await sold(db2, id)).toBe(false)
        expect(await sql(db2.url, 'select pid, status from pg_stat_wal_receiver')).toEqual([
          { pid: receiver[0]?.['pid'], status: 'streaming' },
        ])
        await db2.mend()
        await untilSold(db2, id)
        expect(await sql(db2.url, 'select pid from pg_stat_wal_receiver')).toEqual(receiver)
        expect(await sql(db1.url, `select pid from pg_stat_replication where application_name = 'db2'`)).toEqual(sender)
      })

      it('cut one replica alone, twice as well as once', async () => {
        await db2.cut()
        await db2.cut()
        const { id } = await sell()
        await untilSold(db3, id)
        expect(await sold(db2, id)).toBe(false)
        await db2.mend()
        await db2.mend()
        await untilSold(db2, id)
      })

      it('hold a replica that starts while it is cut off, until it is mended', async () => {
        await db2.cut()
        await db2.kill()
        await db2.start()
        const { id } = await sell()
        await untilSold(db3, id)
        expect(await sold(db2, id)).toBe(false)
        await db2.mend()
        await untilSold(db2, id)
      })
    })

    describe('what cannot be', () => {
      it('is refused: what only a replica can do, of the primary', async () => {
        for (const fault of ['pause', 'resume', 'cut', 'mend'] as const) {
          await expect(db1[fault]()).rejects.toMatchObject({
            code: 'wrong-role',
            message: `db1 is the primary of sandbox shop: ${fault} asks for a replica`,
            hint: 'its replicas are db2, db3',
          })
        }
        await expect(db1.lag(1)).rejects.toMatchObject({ code: 'wrong-role' })
        await expect(shop.promote('db1')).rejects.toMatchObject({ code: 'wrong-role' })
      })

      it('is refused: a node that is not there', async () => {
        expect(() => shop.node('db9')).toThrow('sandbox shop has no node db9; it has db1, db2, db3')
        await expect(shop.promote('db9')).rejects.toMatchObject({ code: 'bad-usage' })
      })

      it('is refused: to freeze what does not run', async () => {
        await db3.kill()
        await expect(db3.freeze()).rejects.toMatchObject({
          code: 'node-not-running',
          hint: 'start it: maestra sandbox start db3 --name shop',
        })
        await expect(db3.thaw()).rejects.toMatchObject({ code: 'node-not-running' })
        await db3.start()
      })
    })
  })
}
