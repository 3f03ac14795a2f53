import { execFile } from 'node:child_process'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ClusterFolder } from '../harness/cluster-folder.js'
import { type FileCall, recorders } from '../harness/file-calls.js'
import { bin } from '../harness/maestra.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

let workspace: Workspace

beforeAll(() => {
  workspace = openWorkspace()
})

afterAll(() => workspace.remove())

/** Applies with the calls written down; a standby that is to last, so that its data are synced. */
async function callsOf({ command, read }: (typeof recorders)[number], cluster: ClusterFolder) {
  cluster.declare({ nodes: ['db1', 'db2'], parameters: ['unix_socket_directories: ""'] })
  const calls = cluster.file('calls')
  const [program, ...args] = command(calls, [bin, 'apply', '--yes'])
  await promisify(execFile)(program, args, { cwd: cluster.directory, env: workspace.env })
  return read(calls)
}

const endOf = (calls: readonly FileCall[]) => Math.max(...calls.map(({ ended }) => ended))

/** What a power cut after the last call could take away: all that is not synced after it was changed. */
function undurable(calls: readonly FileCall[]): readonly string[] {
  const changes = calls.flatMap(({ name, path, to = path, ended }) => {
    if (name === 'write') return [{ path, ended }]
    // A new name is an entry of its directory.
    return name === 'create' || name === 'rename' ? [{ path: dirname(to), ended }] : []
  })
  const moved = new Map(calls.filter(({ name }) => name === 'rename').map(({ path, to = '' }) => [path, to]))
  const synced = calls.filter(({ name }) => name === 'sync')
  const isDurable = (path: string, ended: number): boolean =>
    synced.some((sync) => (sync.path === path || sync.path === moved.get(path)) && sync.began > ended)
  return [...new Set(changes.filter(({ path, ended }) => !isDurable(path, ended)).map(({ path }) => path))]
}

it.each(recorders)('a copy is on the disk before it gets its name, and its name after: $name', async (recorder) => {
  const cluster = await ClusterFolder.open(workspace, recorder.name.replaceAll(/\W/g, '-'), ['db1', 'db2'])
  cluster.declare({ nodes: ['db1'] })
  await cluster.apply()
  const calls = await callsOf(recorder, cluster)

  const data = cluster.data('db2')
  const named = calls.find(({ name, to }) => name === 'rename' && to === data)
  if (named === undefined) throw new Error(`nothing is renamed to ${data}`)
  const inside = calls.filter(({ path }) => path === named.path || path.startsWith(`${named.path}/`))
  const before = inside.filter((call) => call !== named)
  expect(before.filter(({ name }) => name === 'write').length).toBeGreaterThan(500)
  expect(endOf(before)).toBeLessThan(named.began)
  // That the directory itself is there is of no interest: it gets another name.
  expect(undurable(before).filter((path) => path !== dirname(named.path))).toEqual([])
  const after = calls.filter(
    ({ name, path, began }) => name === 'sync' && path === dirname(data) && began > named.ended,
  )
  expect(after.length).toBeGreaterThan(0)
  // The server is started, and may write, only behind it.
  const started = calls.find(({ path, began }) => path === `${data}.log` && began > named.ended)
  expect(after[0]?.ended).toBeLessThan(started?.began ?? 0)
})
