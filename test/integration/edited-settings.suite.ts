import { appendFileSync, readlinkSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import { parseServerVersion } from '@maestra/client/postgres/version'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LocalHost } from '../../packages/maestra/src/host/local/local-host.js'
import { startServer } from '../../packages/maestra/src/server/postmaster.js'
import { ClusterFolder, quickParameters } from '../harness/cluster-folder.js'
import { binOf, type Major } from '../harness/majors.js'
import { runningServer, stopServer } from '../harness/servers.js'
import { sql } from '../harness/sql.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

const both = ['db1', 'db2']
let workspace: Workspace
let shop: ClusterFolder
let version: number

/** Settings that only a restart changes, edited by hand in Maestra's own file. */
export function describeEditedSettings(major: Major): void {
  describe(`settings that somebody changed in maestra.conf, PostgreSQL ${major.version}`, () => {
    beforeAll(async () => {
      workspace = openWorkspace()
      version = major.version
      shop = await ClusterFolder.open(workspace, 'shop', both)
      const bin = await binOf(major, workspace)
      shop.declare({
        version,
        ...(bin !== undefined && { bin }),
        nodes: both,
        parameters: [...quickParameters, 'max_connections: 30', 'max_files_per_process: 1000'],
      })
      await shop.apply()
    })

    afterAll(() => workspace.remove())

    it.each([
      ['and no server read', false],
      ['and read by a reload', true],
    ])('%s are put back without a restart', async (_how, isRead) => {
      const pids = both.map((node) => runningServer(shop.data(node)))
      edit('db1', 'max_connections = 90', 'max_files_per_process = 900', 'max_wal_senders = 20')
      edit('db2', 'max_connections = 20', 'max_locks_per_transaction = 100')
      if (isRead) for (const node of both) await readFiles(node)
      const plan = await shop.run(['plan'])
      expect(plan.stdout).toMatch(/db1\/maestra\.conf:\d+ max_connections 90 -> 30\n/)
      expect(plan.stdout).toMatch(/db2\/maestra\.conf:\d+ max_locks_per_transaction 100 -> \(not set\)\n/)
      expect(plan.stdout).not.toMatch(/restart|interrupts/)
      await shop.apply()
      expect(both.map((node) => runningServer(shop.data(node)))).toEqual(pids)
      await expectNothingToDo()
      expect((await shop.status()).nodes.map((node) => node.pendingRestart)).toEqual([[], []])
      for (const node of both) expect(await show(node, 'max_connections')).toBe('30')
    })

    it('and the primary was restarted with are put back, though its standby has paused its replay', async () => {
      edit('db1', 'max_connections = 90')
      await restartByHand('db1')
      await waitUntil(
        async () => {
          const [{ paused } = {}] = await sql(shop.url('db2'), 'select pg_is_wal_replay_paused() as paused')
          return paused === true ? { done: true, value: undefined } : { done: false, seen: 'it replays' }
        },
        { awaited: 'db2 to pause its replay', deadline: Deadline.after(30_000) },
      )
      await shop.apply()
      for (const node of both) expect(await show(node, 'max_connections')).toBe('30')
      await expectNothingToDo()
    })

    it('and a standby was restarted with are put back by a restart of it alone', async () => {
      const pid = runningServer(shop.data('db1'))
      edit('db2', 'max_connections = 90', 'max_locks_per_transaction = 100')
      await restartByHand('db2')
      expect(await show('db2', 'max_locks_per_transaction')).toBe('100')
      await shop.apply()
      expect(await show('db2', 'max_connections')).toBe('30')
      expect(await show('db2', 'max_locks_per_transaction')).toBe('64')
      expect(runningServer(shop.data('db1'))).toBe(pid)
      await expectNothingToDo()
    })
  })
}

/** Adds lines to Maestra's file, as somebody would by hand; the last line of a setting counts. */
function edit(node: string, ...lines: readonly string[]): void {
  appendFileSync(join(shop.data(node), 'maestra.conf'), lines.map((line) => `${line}\n`).join(''))
}

/** A reload of somebody else. */
async function readFiles(node: string): Promise<void> {
  const loadedAt = 'select pg_conf_load_time()::text as loaded'
  const before = await sql(shop.url(node), loadedAt)
  await sql(shop.url(node), 'select pg_reload_conf()')
  await waitUntil(
    async () => {
      const [now] = await sql(shop.url(node), loadedAt)
      return now?.['loaded'] === before[0]?.['loaded']
        ? { done: false, seen: 'the files of before' }
        : { done: true, value: undefined }
    },
    { awaited: `${node} to read its files`, deadline: Deadline.after(10_000) },
  )
}

/** As somebody would who does not know of Maestra. */
async function restartByHand(node: string): Promise<void> {
  const host = new LocalHost()
  const data = shop.data(node)
  const directory = dirname(readlinkSync(`/proc/${runningServer(data)}/exe`))
  await stopServer(data)
  const { uid } = statSync(data)
  const account = (await host.processes.account(uid)) ?? host.processes.self()
  const binaries = { directory, version: parseServerVersion(String(version)) }
  await startServer(host, { node, data, account, binaries })
}

async function show(node: string, name: string): Promise<unknown> {
  const [row] = await sql(shop.url(node), `show ${name}`)
  return Object.values(row ?? {})[0]
}

async function expectNothingToDo(): Promise<void> {
  expect(await shop.run(['plan', '--detailed-exitcode'])).toMatchObject({ code: 0 })
}
