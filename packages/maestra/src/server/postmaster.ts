import { join } from 'node:path'
import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import { MaestraError, messageOf } from '@maestra/client/base/error'
import type { ProcessObservation } from '../cluster/observation.js'
import type { Account, Daemon, Host, ProcessIdentity } from '../host/host.js'
import type { Binaries } from './binaries.js'
import { lastWords, startLogOf } from './start-log.js'

/** How long a server may take to become ready (crash recovery included) and to stop, in ms. */
const startTimeoutMs = 120_000
const stopTimeoutMs = 60_000

/** How much of a command line is worth a place in an error. */
const commandShown = 120

/** The server process of a data directory, by its postmaster.pid and the process table. */
export async function observeProcess(host: Host, data: string): Promise<ProcessObservation> {
  try {
    const file = await readPostmasterFile(host, data)
    if (file === undefined) return { kind: 'none' }
    const process = await host.processes.identify(file.pid)
    if (process === undefined) return { kind: 'none' }
    if (!(await worksIn(host, process, data))) return { kind: 'none' }
    return { kind: 'running', pid: file.pid, status: file.status, port: file.port }
  } catch (error) {
    return { kind: 'unknown', because: messageOf(error) }
  }
}

/**
 * A pid of before a crash may be another program's by now. A postmaster works in its data directory; where that cannot be
 * seen, it runs at least as the owner of the directory.
 */
async function worksIn(host: Host, process: ProcessIdentity, data: string): Promise<boolean> {
  if (process.workingDirectory !== undefined) {
    return process.workingDirectory === data || process.workingDirectory === (await host.files.realPath(data))
  }
  const owner = (await host.files.stat(data))?.uid
  return process.uid === undefined || owner === undefined || process.uid === owner
}

type PostmasterFile = { readonly pid: number; readonly port: number; readonly status: string }

/**
 * postmaster.pid: pid, data directory, start time, port, socket directory, address, shared memory, status; one a
 * line.
 */
async function readPostmasterFile(host: Host, data: string): Promise<PostmasterFile | undefined> {
  const text = await host.files.readText(join(data, 'postmaster.pid'))
  const lines = text?.split('\n') ?? []
  const pid = Number(lines[0])
  if (!Number.isInteger(pid) || pid <= 0) return undefined
  return { pid, port: Number(lines[3] ?? 0), status: lines[7]?.trim() || 'starting' }
}

export type StartOptions = {
  readonly node: string
  readonly data: string
  readonly account: Account
  readonly binaries: Binaries
  /** How long it may take; 120 s unless told otherwise. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal | undefined
}

/** Starts the server and waits until it takes connections. Aborted before that, it ends the server again. */
export async function startServer(host: Host, options: StartOptions): Promise<void> {
  const { node, data, account, binaries, timeoutMs = startTimeoutMs, signal } = options
  const deadline = Deadline.after(timeoutMs)
  await untilReaped(host, options, deadline)
  const logFile = startLogOf(data)
  const logBefore = (await host.files.stat(logFile))?.size ?? 0
  const daemon = await host.processes.startDaemon(join(binaries.directory, 'postgres'), ['-D', data], {
    account,
    logFile,
  })
  await waitUntil(() => lookAtStart(host, options, daemon, logBefore), {
    awaited: `${node} (${data}) to take connections`,
    deadline,
    everyMs: 5,
    signal,
    hint: `see the end of ${logFile}`,
  }).catch(async (error) => {
    if (signal?.aborted) await endDaemon(host, options, daemon)
    if (!(error instanceof MaestraError) || error.code !== 'deadline-passed') throw error
    const { code, message, hint = '' } = error
    throw new MaestraError(code, `${message}${await wordsSince(host, data, logBefore)}`, { hint, cause: error })
  })
}

/**
 * PostgreSQL takes the process of a postmaster.pid for a running server as long as its pid is taken: also when it was killed, and
 * its parent has not asked yet how it ended.
 */
async function untilReaped(host: Host, { node, data, signal }: StartOptions, deadline: Deadline): Promise<void> {
  await waitUntil(
    async () => {
      const pid = (await readPostmasterFile(host, data))?.pid
      const parent = pid === undefined ? undefined : await host.processes.parentOfZombie(pid)
      if (parent === undefined) return { done: true, value: undefined }
      const command = await host.processes.commandOf(parent)
      const shown = command ? ` (${command.slice(0, commandShown)})` : ''
      return { done: false, seen: `process ${pid} has ended, and its parent ${parent}${shown} has not taken note` }
    },
    { awaited: `the server of before of ${node} (${data}) to be gone`, deadline, everyMs: 20, signal },
  ).catch((error) => {
    if (!(error instanceof MaestraError) || error.code !== 'deadline-passed') throw error
    throw new MaestraError('server-did-not-start', error.message, {
      hint: `end that parent, or have it take note (wait); in a container: start it with an init process; then: maestra apply`,
      cause: error,
    })
  })
}

/** By its pid: it may have written no postmaster.pid yet, and nobody would find it later. */
async function endDaemon(host: Host, { node, data }: StartOptions, daemon: Daemon): Promise<void> {
  if (daemon.exit() === undefined) host.processes.signal(daemon.pid, 'SIGINT')
  await waitUntil(
    () =>
      daemon.exit() === undefined
        ? { done: false, seen: `process ${daemon.pid} still runs` }
        : { done: true, value: undefined },
    { awaited: `${node} (${data}) to stop`, deadline: Deadline.after(stopTimeoutMs), everyMs: 5 },
  )
}

async function lookAtStart(host: Host, options: StartOptions, daemon: Daemon, logBefore: number) {
  const ended = daemon.exit()
  if (ended !== undefined) throw await startError(host, options, ended, logBefore)
  const file = await readPostmasterFile(host, options.data)
  if (file?.pid === daemon.pid && file.status === 'ready') return { done: true as const, value: undefined }
  return {
    done: false as const,
    seen: file?.pid === daemon.pid ? `it is ${file.status}` : 'it has written no postmaster.pid yet',
  }
}

async function startError(host: Host, options: StartOptions, ended: string, logBefore: number): Promise<MaestraError> {
  const said = await wordsSince(host, options.data, logBefore)
  return new MaestraError('server-did-not-start', `${options.node} did not start, ${ended}${said}`, {
    hint: `see the end of ${startLogOf(options.data)}`,
  })
}

/** What a server's log has said since it had so many bytes, in words that follow a sentence. */
async function wordsSince(host: Host, data: string, logBefore: number): Promise<string> {
  const log = await host.files.readBytes(startLogOf(data))
  const said = lastWords(log?.subarray(logBefore).toString('utf8') ?? '')
  return said === '' ? '' : `: ${said}`
}

/** Fast shutdown: open transactions are rolled back, a shutdown checkpoint is written. Nothing running is fine. */
export async function stopServer(
  host: Host,
  options: {
    readonly node: string
    readonly data: string
    readonly mode?: 'fast' | 'immediate'
    readonly timeoutMs?: number
    readonly signal?: AbortSignal | undefined
  },
): Promise<void> {
  const { node, data, mode = 'fast', timeoutMs = stopTimeoutMs, signal } = options
  const found = await observeProcess(host, data)
  if (found.kind === 'unknown') throw new MaestraError('server-did-not-stop', `${node}: ${found.because}`)
  if (found.kind === 'none') return
  const before = await host.processes.identify(found.pid)
  host.processes.signal(found.pid, mode === 'fast' ? 'SIGINT' : 'SIGQUIT')
  await waitUntil(
    async () => {
      const now = await host.processes.identify(found.pid)
      return now === undefined || now.startedAt !== before?.startedAt
        ? { done: true, value: undefined }
        : { done: false, seen: `process ${found.pid} still runs` }
    },
    { awaited: `${node} (${data}) to stop`, deadline: Deadline.after(timeoutMs), everyMs: 5, signal },
  ).catch(async (error) => {
    if (!(error instanceof MaestraError) || error.code !== 'deadline-passed') throw error
    throw new MaestraError('server-did-not-stop', `${error.message}${await processesOf(host, found.pid)}`, {
      hint: `${node} is told to stop and is left to it; when it has stopped, maestra apply starts it`,
      cause: error,
    })
  })
}

/** In words that follow a sentence. PostgreSQL's processes show what they do: to whom they send, what they archive. */
async function processesOf(host: Host, pid: number): Promise<string> {
  const below = await host.processes.descendants(pid)
  const shown = await Promise.all(below.map((each) => host.processes.commandOf(each)))
  const words = shown.flatMap((command, index) =>
    command === undefined ? [] : [`${below[index]} (${command.replace(/^postgres: /, '').slice(0, commandShown)})`],
  )
  return words.length === 0 ? '' : `, with ${words.join(', ')}`
}

/** Has the server read its configuration files again; it does so on its own time. */
export async function reloadServer(
  host: Host,
  options: { readonly node: string; readonly data: string },
): Promise<void> {
  const found = await observeProcess(host, options.data)
  if (found.kind === 'running') host.processes.signal(found.pid, 'SIGHUP')
}
