import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import { expect } from 'vitest'
import type { ClusterFolder } from '../harness/cluster-folder.js'
import { managedFiles } from '../harness/managed-files.js'
import { processesBelow, programsNaming } from '../harness/processes.js'
import { runningServer } from '../harness/servers.js'
import { sql } from '../harness/sql.js'

/** What a killed apply may leave beside what a cluster is made of: what it was working on. */
const temporary = /(\.maestra-lock(\.stale)?|\.maestra-incoming|\.maestra-new|\.maestra-\d+-\d+)+$/

/** In a data directory: settings that are tried, and those that are kept until a server has started with others. */
const ofAnApply = /^maestra\.(trial\..*|before)\.conf$/

/** Data that were moved aside, which nothing deletes. */
export const asideName = /^\w+\.before-\d{8}T\d{6}Z$/

/** Nothing but what a cluster is made of, and what a killed apply worked on, is in the folder. */
export function expectKnownNames(folder: ClusterFolder): void {
  const names = namesIn(folder).map((name) => name.replace(temporary, ''))
  expect(names.filter((name) => !isPartOfCluster(folder, name))).toEqual([])
}

/** Nothing of a killed apply is left, but for some names. */
export function expectNothingTemporary(folder: ClusterFolder, mayBeLeft: readonly string[]): void {
  const left = namesIn(folder).filter((name) => !isPartOfCluster(folder, name))
  expect(left.filter((name) => !mayBeLeft.includes(name))).toEqual([])
  for (const node of folder.nodes.filter((each) => existsSync(folder.data(each)))) {
    const inside = readdirSync(folder.data(node)).filter((name) => temporary.test(name) || ofAnApply.test(name))
    expect(
      inside.filter((name) => !mayBeLeft.includes(name)),
      `left in ${node}`,
    ).toEqual([])
  }
}

/** An apply of what is so already writes no file and reloads no server. */
export async function expectFurtherApplyToWriteNothing(folder: ClusterFolder, nodes: readonly string[]): Promise<void> {
  const before = await written(folder, nodes)
  expect(await folder.apply()).toEqual({ code: 0, stdout: 'cluster shop: nothing to do\n', stderr: '' })
  expect(await written(folder, nodes)).toEqual(before)
}

/** No connection of Maestra is open, and no process of it runs, but for the servers. */
export async function expectNothingOfMaestraToRun(folder: ClusterFolder, nodes: readonly string[]): Promise<void> {
  await waitUntil(
    async () => {
      const seen = [...(await connectionsOfMaestra(folder, nodes)), ...programsBeside(folder, nodes)]
      return seen.length === 0 ? { done: true, value: undefined } : { done: false, seen: seen.join('; ') }
    },
    // A server, or an initdb, whose apply was killed notices it in its own time.
    { awaited: 'everything of the applies to be gone', deadline: Deadline.after(20_000), everyMs: 10 },
  )
}

function namesIn(folder: ClusterFolder): readonly string[] {
  return readdirSync(folder.directory)
}

function isPartOfCluster(folder: ClusterFolder, name: string): boolean {
  if (asideName.test(name)) return true
  return [
    'maestra.yaml',
    'maestra.pgpass',
    'archive',
    ...folder.nodes.flatMap((node) => [node, `${node}.log`]),
  ].includes(name)
}

async function written(folder: ClusterFolder, nodes: readonly string[]) {
  return {
    files: managedFiles(folder, nodes),
    // A file that came and went, such as the lock, leaves its trace here.
    folder: statSync(folder.directory).mtimeMs,
    loadTimes: await onEach(folder, nodes, 'select pg_conf_load_time()::text as found'),
    servers: nodes.map((node) => runningServer(folder.data(node))),
  }
}

async function connectionsOfMaestra(folder: ClusterFolder, nodes: readonly string[]): Promise<readonly string[]> {
  const text = `select backend_type || ' for maestra' as found from pg_stat_activity where application_name = 'maestra'`
  return await onEach(folder, nodes, text)
}

/** What was started for the folder beside the servers of the nodes and their own processes. */
function programsBeside(folder: ClusterFolder, nodes: readonly string[]): readonly string[] {
  const servers = nodes.map((node) => runningServer(folder.data(node)))
  const ofServers = new Set(nodes.flatMap((node) => processesBelow(folder.data(node))))
  return programsNaming(folder.directory)
    .filter(({ pid }) => !servers.includes(pid) && !ofServers.has(pid))
    .map(({ pid, words }) => `process ${pid} (${basename(words)})`)
}

async function onEach(folder: ClusterFolder, nodes: readonly string[], text: string): Promise<readonly string[]> {
  const rows = await Promise.all(nodes.map((node) => sql<{ found: string }>(folder.url(node), text)))
  return rows.flatMap((each, index) => each.map(({ found }) => `${nodes[index]}: ${found}`))
}
