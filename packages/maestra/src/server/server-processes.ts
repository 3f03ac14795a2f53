import { join } from 'node:path'
import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import { MaestraError } from '@maestra/client/base/error'
import type { Host } from '../host/host.js'
import { observeProcess } from './postmaster.js'

const endTimeoutMs = 30_000

type ServerOfNode = { readonly node: string; readonly data: string }

/**
 * Ends every process of a server by SIGKILL, as a crash of its machine would: nothing is written, no client is told. The
 * server can be started again at once. One that does not run is fine.
 */
export async function killServer(host: Host, server: ServerOfNode): Promise<void> {
  const pid = await runningPid(host, server)
  if (pid === undefined) return
  const memory = await interlockOf(host, server.data)
  // It cannot start another process while these are found.
  await stopProcesses(host, server, [pid])
  const all = [pid, ...(await host.processes.descendants(pid))]
  for (const each of all) host.processes.signal(each, 'SIGKILL')
  await waitUntil(
    async () => {
      const left = await Promise.all(all.map((each) => host.processes.identify(each)))
      const pids = left.flatMap((each) => each?.pid ?? [])
      return pids.length === 0
        ? { done: true, value: undefined }
        : { done: false, seen: `process ${pids.join(', ')} still runs` }
    },
    { awaited: `${server.node} (${server.data}) to end`, deadline: Deadline.after(endTimeoutMs), everyMs: 5 },
  )
  // Where nobody reaps it, its pid stays taken, and PostgreSQL would believe that it runs.
  await host.files.removeFile(join(server.data, 'postmaster.pid'))
  if (memory !== undefined) await removeInterlock(host, memory)
}

/** Has every process of a server stand still: its sockets stay open, and nobody answers on them. */
export async function freezeServer(host: Host, server: ServerOfNode): Promise<void> {
  const pid = await requiredPid(host, server)
  await stopProcesses(host, server, [pid])
  await stopProcesses(host, server, await host.processes.descendants(pid))
}

/** A process that runs on another processor takes notice of SIGSTOP a moment later. */
async function stopProcesses(host: Host, { node }: ServerOfNode, pids: readonly number[]): Promise<void> {
  for (const pid of pids) host.processes.signal(pid, 'SIGSTOP')
  await waitUntil(
    async () => {
      const found = await Promise.all(pids.map((pid) => host.processes.identify(pid)))
      const running = found.filter((each) => each?.stopped === false)
      return running.length === 0
        ? { done: true, value: undefined }
        : { done: false, seen: `process ${running.map((each) => each?.pid).join(', ')} runs` }
    },
    { awaited: `${node} to stand still`, deadline: Deadline.after(endTimeoutMs), everyMs: 1 },
  )
}

/** Has every process of a server go on. */
export async function thawServer(host: Host, server: ServerOfNode): Promise<void> {
  const pid = await requiredPid(host, server)
  for (const each of await host.processes.descendants(pid)) host.processes.signal(each, 'SIGCONT')
  host.processes.signal(pid, 'SIGCONT')
}

async function requiredPid(host: Host, server: ServerOfNode): Promise<number> {
  const pid = await runningPid(host, server)
  if (pid !== undefined) return pid
  throw new MaestraError('node-not-running', `${server.node} does not run (${server.data})`)
}

async function runningPid(host: Host, { node, data }: ServerOfNode): Promise<number | undefined> {
  const found = await observeProcess(host, data)
  if (found.kind === 'unknown') throw new MaestraError('server-did-not-stop', `${node}: ${found.because}`)
  return found.kind === 'none' ? undefined : found.pid
}

/**
 * The small segment of System V shared memory by which PostgreSQL keeps two servers from one data directory. It outlives
 * a killed server, and a machine has room for some thousand of them.
 */
type Interlock = { readonly key: string; readonly id: string }

/** Line 7 of postmaster.pid: key and identifier. */
async function interlockOf(host: Host, data: string): Promise<Interlock | undefined> {
  const lines = (await host.files.readText(join(data, 'postmaster.pid')))?.split('\n') ?? []
  const [key, id] = lines[6]?.trim().split(/\s+/) ?? []
  return key && id ? { key, id } : undefined
}

/** Only where the system says that it is this one and that nobody uses it. */
async function removeInterlock(host: Host, { key, id }: Interlock): Promise<void> {
  const listing = (await host.files.readText('/proc/sysvipc/shm').catch(() => undefined)) ?? ''
  const isLeft = listing.split('\n').some((line) => {
    const [itsKey, itsId, , , , , attached] = line.trim().split(/\s+/)
    return itsKey === key && itsId === id && attached === '0'
  })
  if (isLeft) await host.processes.run('ipcrm', ['-m', id], {}).catch(() => {})
}
