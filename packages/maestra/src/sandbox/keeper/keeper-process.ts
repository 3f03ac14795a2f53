import { dirname, join } from 'node:path'
import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import { MaestraError } from '@maestra/client/base/error'
import type { Daemon, Host } from '../../host/host.js'
import { packageFile } from '../../host/package-file.js'
import { isAlive, type ProcessOwner } from '../../host/process-owner.js'
import { cacheDirectory } from '../cache/cache-directory.js'
import type { RecordedSandbox } from '../sandbox-record.js'
import type { Link } from './keeper-request.js'

/** In the directory of a sandbox: the process of its keeper, written when the keeper can be asked. */
export const keeperFile = 'keeper.json'
const keeperLog = 'keeper.log'

/** The program as it was compiled, also for those who run the sources. */
const program = packageFile('dist/sandbox/keeper/keeper-main.js')

const startTimeoutMs = 60_000
const endTimeoutMs = 20_000

/** Starts the keeper of a sandbox. It ends, and takes the sandbox down, when this process ends. */
export async function startKeeper(
  host: Host,
  { path, record }: RecordedSandbox,
  links: readonly Link[],
  signal?: AbortSignal,
): Promise<Daemon> {
  if ((await host.files.stat(program)) === undefined) {
    throw new MaestraError('no-binaries', `there is no ${program}, the program that keeps a sandbox`, {
      hint: 'maestra has to be used as it is installed, not bundled into another file',
    })
  }
  const logFile = join(record.directory, keeperLog)
  const daemon = await host.processes.startDaemon(process.execPath, [program, path, JSON.stringify(links)], {
    logFile,
    // A daemon gets none of our variables, and has to find the same cache.
    env: { MAESTRA_CACHE: await cacheDirectory(host) },
    endsWithOwner: true,
  })
  await waitUntil(
    async () => {
      const ended = daemon.exit()
      if (ended !== undefined) throw await startError(host, record.name, logFile, ended)
      const keeper = await readKeeper(host, record.directory)
      return keeper?.pid === daemon.pid && (await isAlive(host, keeper))
        ? { done: true, value: undefined }
        : { done: false, seen: 'it does not answer yet' }
    },
    {
      awaited: `the keeper of sandbox ${record.name} to start`,
      deadline: Deadline.after(startTimeoutMs),
      everyMs: 5,
      signal,
    },
  ).catch((error) => {
    // By its pid: it has written no file by which it could be found later.
    if (daemon.exit() === undefined) host.processes.signal(daemon.pid, 'SIGKILL')
    throw error
  })
  return daemon
}

async function startError(host: Host, name: string, logFile: string, ended: string): Promise<MaestraError> {
  const log = (await host.files.readText(logFile)) ?? ''
  const said = log.split('\n').find((line) => line.includes('Error: ')) ?? log.trim().split('\n').at(-1) ?? ''
  if (said === '') {
    const message = `the keeper of sandbox ${name} did not start, ${ended}, and could write nothing to ${logFile}`
    return new MaestraError('server-did-not-start', message, {
      hint: `see whether there is room: df -h ${dirname(dirname(logFile))}`,
    })
  }
  const code = log.includes('EADDRINUSE') ? 'port-taken' : 'server-did-not-start'
  return new MaestraError(code, `the keeper of sandbox ${name} did not start, ${ended}: ${said.trim()}`)
}

/** The process of a sandbox's keeper; undefined where none was started. */
async function readKeeper(host: Host, directory: string): Promise<ProcessOwner | undefined> {
  const text = await host.files.readText(join(directory, keeperFile))
  try {
    return text === undefined ? undefined : (JSON.parse(text) as ProcessOwner)
  } catch {
    return undefined
  }
}

/** Whether a keeper works for the sandbox. */
export async function keeperLives(host: Host, directory: string): Promise<boolean> {
  const keeper = await readKeeper(host, directory)
  return keeper !== undefined && (await isAlive(host, keeper))
}

/** Ends the keeper of a sandbox, unless it is this very process. */
export async function endKeeper(host: Host, directory: string): Promise<void> {
  const keeper = await readKeeper(host, directory)
  if (keeper === undefined || keeper.pid === process.pid || !(await isAlive(host, keeper))) return
  // Nothing of it is worth an orderly end: what it carried goes with it.
  host.processes.signal(keeper.pid, 'SIGKILL')
  await waitUntil(
    async () =>
      (await isAlive(host, keeper))
        ? { done: false, seen: `process ${keeper.pid} still runs` }
        : { done: true, value: undefined },
    { awaited: 'the keeper of the sandbox to end', deadline: Deadline.after(endTimeoutMs), everyMs: 5 },
  )
}
