import { readdirSync, readFileSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { processesBelow, untilGone, untilReaped, workingDirectoryOf } from './processes.js'

/** The pid in a data directory's postmaster.pid; undefined when there is none. */
function postmasterPid(data: string): number | undefined {
  try {
    const pid = Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0])
    return Number.isInteger(pid) && pid > 0 ? pid : undefined
  } catch {
    return undefined
  }
}

/** The pid of the server that runs on the data directory; an error when none does. */
export function runningServer(data: string): number {
  const pid = postmasterPid(data)
  if (pid === undefined) throw new Error(`no server runs on ${data}`)
  return pid
}

/** Stops a server in order, as its owner would. */
export async function stopServer(data: string): Promise<void> {
  await endServer(data, 'SIGINT')
}

/** Stops a server without a checkpoint: its next start recovers, as after a crash. */
export async function stopServerAtOnce(data: string): Promise<void> {
  await endServer(data, 'SIGQUIT')
}

/** Ends a server as a crash does. */
export async function killServer(data: string): Promise<void> {
  await endServer(data, 'SIGKILL')
}

async function endServer(data: string, signal: 'SIGINT' | 'SIGQUIT' | 'SIGKILL'): Promise<void> {
  const pid = runningServer(data)
  process.kill(pid, signal)
  // One that could not remove its postmaster.pid looks as if it ran while a zombie has its pid.
  await (signal === 'SIGKILL' ? untilReaped(pid) : untilGone(pid))
  // The other processes of the server notice that it is gone, each in its own time.
  await Promise.all(processesBelow(await realpath(data)).map(untilGone))
}

/** Every process of a server: it and its children. They stand still until they are sent SIGCONT. */
export async function signalServer(data: string, signal: 'SIGSTOP' | 'SIGCONT'): Promise<void> {
  for (const pid of processesBelow(await realpath(data))) process.kill(pid, signal)
}

/**
 * Ends every server whose data directory is below the directory: by the pid in its postmaster.pid, if it is that
 * server.
 */
export async function endServersBelow(directory: string): Promise<void> {
  const folder = await realpath(directory).catch(() => undefined)
  if (folder === undefined) return
  await Promise.all(dataDirectoriesBelow(folder, 5).map(endIfServer))
  // What has lost its postmaster ends on its own, unless it was made to stand still.
  for (const pid of processesBelow(folder)) {
    process.kill(pid, 'SIGCONT')
    process.kill(pid, 'SIGKILL')
    await untilGone(pid)
  }
}

async function endIfServer(data: string): Promise<void> {
  const pid = postmasterPid(data)
  if (pid === undefined || workingDirectoryOf(pid) !== data) return
  process.kill(pid, 'SIGCONT')
  process.kill(pid, 'SIGQUIT')
  await untilGone(pid)
}

function dataDirectoriesBelow(directory: string, depth: number): readonly string[] {
  const entries = entriesOf(directory)
  if (entries.some((entry) => entry.name === 'postmaster.pid')) return [directory]
  if (depth === 0) return []
  return entries
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => dataDirectoriesBelow(join(directory, entry.name), depth - 1))
}

function entriesOf(directory: string) {
  try {
    return readdirSync(directory, { withFileTypes: true })
  } catch {
    return []
  }
}
