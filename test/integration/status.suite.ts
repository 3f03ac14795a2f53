import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ClusterFolder } from '../harness/cluster-folder.js'
import { binOf, type Major } from '../harness/majors.js'
import { killServer, signalServer, stopServer } from '../harness/servers.js'
import { sql, untilRows } from '../harness/sql.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

// One describe after the other: each opens its own.
let workspace: Workspace
let shop: ClusterFolder
const nodes = ['db1', 'db2', 'db3']

async function nodeStatus(name: string) {
  const status = await shop.status()
  return status.nodes.find((node) => node.name === name)
}

async function states(): Promise<readonly string[]> {
  return (await shop.status()).nodes.map((node) => node.state)
}

/** What `maestra status` tells of a cluster. Briefly: without what takes its time on every major version alike. */
export function describeStatus(major: Major, { briefly = false } = {}): void {
  describe(`the servers of PostgreSQL ${major.version}`, () => {
    beforeAll(async () => {
      workspace = openWorkspace()
      shop = await ClusterFolder.open(workspace, 'shop', nodes)
      const bin = await binOf(major, workspace)
      shop.declare({ version: major.version, ...(bin !== undefined && { bin }), nodes })
      await shop.apply()
    })

    afterAll(() => workspace.remove())

    describe('the status of a cluster', () => {
      it('has the documented shape, in the order of the file', async () => {
        const lsn = expect.stringMatching(/^[0-9A-F]+\/[0-9A-F]+$/)
        const common = {
          host: '127.0.0.1',
          version: expect.stringMatching(`^${major.version}\\.`),
          timeline: 1,
          lsn,
          pendingRestart: [],
          failedArchiving: null,
          unknown: null,
        }
        const primary = {
          ...common,
          role: 'primary',
          state: 'running',
          lagBytes: null,
          lagMs: null,
          sync: null,
          slot: null,
          follows: null,
        }
        const follows = { sync: 'async', follows: 'db1' }
        const standby = { ...common, ...follows, role: 'standby', state: 'streaming', lagBytes: 0, lagMs: 0 }
        const run = await shop.run(['status', '--json'])
        expect(run).toMatchObject({ code: 0, stderr: '' })
        const status = JSON.parse(run.stdout)
        expect(status).toEqual({
          cluster: 'shop',
          primary: 'db1',
          nodes: [
            { ...primary, name: 'db1', port: shop.port('db1') },
            { ...standby, name: 'db2', port: shop.port('db2'), slot: 'db2' },
            { ...standby, name: 'db3', port: shop.port('db3'), slot: 'db3' },
          ],
        })
        const keys =
          'name role state host port version timeline lsn lagBytes lagMs sync slot follows pendingRestart failedArchiving unknown'
        for (const node of status.nodes) expect(Object.keys(node).sort()).toEqual(keys.split(' ').sort())
      })

      it('is a table for people, one row a node', async () => {
        const { stdout } = await shop.run(['status'])
        expect(stdout).toMatch(
          /^cluster shop, primary db1\n\nNODE +ROLE +STATE .*\ndb1 +primary +running .*\ndb2 +standby +streaming .*\ndb3/,
        )
      })

      it('shows no lag where the primary is idle, however old its last transaction is', async () => {
        await sql(shop.url('db1'), 'create table old ()')
        await untilRows(shop.url('db2'), 'select count(*)::int from old', [{ count: 0 }])
        const age = 'select extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()) > 0.05 as old'
        await untilRows(shop.url('db2'), age, [{ old: true }])
        expect(await nodeStatus('db2')).toMatchObject({ state: 'streaming', lagBytes: 0, lagMs: 0 })
      })

      it('shows how far a replica is behind whose replay is paused', async () => {
        await sql(shop.url('db2'), 'select pg_wal_replay_pause()')
        await untilRows(shop.url('db2'), 'select pg_get_wal_replay_pause_state() as state', [{ state: 'paused' }])
        await sql(shop.url('db1'), 'create table missed as select generate_series(1, 1000) as id')
        const paused = await nodeStatus('db2')
        expect(paused).toMatchObject({ role: 'standby', state: 'paused', unknown: null })
        expect(paused?.lagBytes).toBeGreaterThan(10_000)
        expect(paused?.lagMs).toBeGreaterThan(0)
        expect(await nodeStatus('db3')).toMatchObject({ state: 'streaming' })
        await sql(shop.url('db2'), 'select pg_wal_replay_resume()')
        await untilRows(shop.url('db2'), 'select count(*)::int from missed', [{ count: 1000 }])
        expect(await nodeStatus('db2')).toMatchObject({ state: 'streaming', lagBytes: 0 })
      })

      it('names the settings that wait for a restart', async () => {
        await sql(shop.url('db3'), 'alter system set max_connections = 222')
        await sql(shop.url('db3'), 'select pg_reload_conf()')
        const waiting = `select name from pg_settings where pending_restart`
        await untilRows(shop.url('db3'), waiting, [{ name: 'max_connections' }])
        expect(await nodeStatus('db3')).toMatchObject({ state: 'streaming', pendingRestart: ['max_connections'] })
        await sql(shop.url('db3'), 'alter system reset max_connections')
      })
    })

    describe('a node that cannot be asked is a row', () => {
      if (!briefly)
        it('unreachable, while its server hangs, and the others are told all the same', async () => {
          await signalServer(shop.data('db2'), 'SIGSTOP')
          try {
            const run = await shop.run(['status', '--json'])
            expect(run.code).toBe(3)
            const [db1, db2, db3] = JSON.parse(run.stdout).nodes
            expect(db1).toMatchObject({ state: 'running' })
            expect(db2).toMatchObject({ role: 'standby', state: 'unreachable', timeline: 1, lsn: null, lagBytes: null })
            expect(db2.unknown).toMatch(/timeout|deadline|answer/)
            expect(db3).toMatchObject({ state: 'streaming', lagBytes: 0 })
            const plan = await shop.run(['plan'])
            expect(plan.code).toBe(1)
            expect(plan.stdout).toMatch(/unknown +db2: /)
          } finally {
            await signalServer(shop.data('db2'), 'SIGCONT')
          }
          expect(await nodeStatus('db2')).toMatchObject({ role: 'standby', version: expect.any(String) })
        })

      it('stopped, after it was stopped', async () => {
        await stopServer(shop.data('db3'))
        expect(await nodeStatus('db3')).toMatchObject({
          role: 'standby',
          state: 'stopped',
          lsn: null,
          slot: 'db3',
          timeline: 1,
        })
        const { code, stdout } = await shop.run(['status'])
        expect(code).toBe(3)
        expect(stdout).toMatch(/db3 +standby +stopped/)
      })

      it('failed, after its server was killed; the replicas of a dead primary are told without lag', async () => {
        await killServer(shop.data('db1'))
        const status = await shop.status()
        expect(status.primary).toBeNull()
        const [db1, db2] = status.nodes
        expect(db1).toMatchObject({
          role: 'primary',
          state: 'failed',
          lsn: null,
          unknown: expect.stringContaining('in production'),
        })
        expect(db2).toMatchObject({
          role: 'standby',
          lagBytes: null,
          lagMs: null,
          unknown: expect.stringContaining('no primary'),
        })
      })

      it('and all of them are brought back by an apply', async () => {
        await shop.apply()
        expect(await states()).toEqual(['running', 'streaming', 'streaming'])
        expect(await sql(shop.url('db1'), 'select count(*)::int from missed')).toEqual([{ count: 1000 }])
      })
    })
  })
}
