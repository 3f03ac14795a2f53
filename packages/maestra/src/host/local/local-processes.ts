import { spawn } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import { readdir, readFile, readlink, stat as statFile } from 'node:fs/promises'
import { Socket } from 'node:net'
import { constants as osConstants, userInfo } from 'node:os'
import { MaestraError } from '@maestra/client/base/error'
import type {
  Account,
  Daemon,
  DaemonOptions,
  HostProcesses,
  ProcessIdentity,
  RunOptions,
  RunResult,
  Signal,
} from '../host.js'
import { failedWith, fileError } from './file-error.js'

/** Programs of this machine. */
export class LocalProcesses implements HostProcesses {
  self(): Account {
    return { name: nameOfSelf(), uid: process.getuid?.() ?? -1, gid: process.getgid?.() ?? -1 }
  }

  /** The local accounts first; the system's other sources (a directory service) only for one that is not among them. */
  async account(nameOrUid: string | number): Promise<Account | undefined> {
    const local = await readFile('/etc/passwd', 'utf8').catch(() => '')
    const found = accountIn(local, nameOrUid)
    if (found !== undefined) return found
    const result = await this.run('getent', ['passwd', String(nameOrUid)], {}).catch(() => undefined)
    return result?.exitCode === 0 ? accountIn(result.stdout, nameOrUid) : undefined
  }

  run(program: string, args: readonly string[], options: RunOptions): Promise<RunResult> {
    return new Promise((resolve, reject) => {
      options.signal?.throwIfAborted()
      const child = spawn(program, args, {
        ...identityOf(options.account),
        cwd: '/',
        env: { ...baseEnvironment(), ...options.env },
        stdio: ['pipe', 'pipe', 'pipe'],
        // The terminal's Ctrl-C goes to the whole foreground group: a program that we run is ended by us, not by it.
        detached: true,
      })
      const abort = () => child.kill('SIGTERM')
      options.signal?.addEventListener('abort', abort, { once: true })
      let stdout = ''
      let stderr = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
      child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
      child.stdin.on('error', () => {})
      child.stdin.end(options.input ?? '')
      child.once('error', (error) => reject(cannotRun(program, error)))
      child.once('close', (code, signal) => {
        options.signal?.removeEventListener('abort', abort)
        // Only when it is gone: whoever asked may now remove what it was writing.
        if (options.signal?.aborted) reject(options.signal.reason)
        else resolve({ exitCode: code ?? -1, stdout, stderr: signal === null ? stderr : `${stderr}ended by ${signal}` })
      })
    })
  }

  startDaemon(program: string, args: readonly string[], options: DaemonOptions): Promise<Daemon> {
    return new Promise((resolve, reject) => {
      const log = openLog(options.logFile)
      const child = spawn(program, args, {
        ...identityOf(options.account),
        cwd: '/',
        env: { ...baseEnvironment(), ...options.env },
        stdio: [options.endsWithOwner ? 'pipe' : 'ignore', log, log],
        detached: true,
      })
      closeSync(log)
      child.stdin?.on('error', () => {})
      let ended: string | undefined
      child.once('error', (error) => reject(cannotRun(program, error)))
      child.once('exit', (code, signal) => {
        ended = signal === null ? `it exited with code ${code}` : `it was ended by ${signal}`
      })
      child.once('spawn', () => {
        child.unref()
        // The pipe of a daemon must not keep this process from ending.
        if (child.stdin instanceof Socket) child.stdin.unref()
        resolve({ pid: child.pid ?? -1, exit: () => ended, release: () => child.stdin?.end() })
      })
    })
  }

  async identify(pid: number): Promise<ProcessIdentity | undefined> {
    if (!isAlive(pid)) return undefined
    const fields = await statFields(pid)
    if (fields === undefined) return isAlive(pid) ? await this.identifyByPs(pid) : undefined
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined
    const workingDirectory = await readlink(`/proc/${pid}/cwd`).catch(() => undefined)
    const uid = (await statFile(`/proc/${pid}`).catch(() => undefined))?.uid
    return {
      pid,
      startedAt: `${await bootIdentifier()}:${fields[19]}`,
      workingDirectory,
      uid,
      stopped: fields[0] === 'T',
    }
  }

  /** For systems without /proc. */
  private async identifyByPs(pid: number): Promise<ProcessIdentity | undefined> {
    const result = await this.run('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {})
    const [, state = '', startedAt] = /^(\S+)\s+(.+)$/.exec(result.stdout.trim()) ?? []
    if (startedAt === undefined || state.startsWith('Z')) return undefined
    return { pid, startedAt, workingDirectory: undefined, uid: undefined, stopped: state.startsWith('T') }
  }

  async parentOfZombie(pid: number): Promise<number | undefined> {
    const [state, parent] = (await statFields(pid)) ?? (isAlive(pid) ? await this.stateByPs(pid) : [])
    return state?.startsWith('Z') ? Number(parent) : undefined
  }

  /** For systems without /proc. */
  private async stateByPs(pid: number): Promise<readonly string[]> {
    return (await this.run('ps', ['-o', 'stat=,ppid=', '-p', String(pid)], {})).stdout.trim().split(/\s+/)
  }

  async descendants(pid: number): Promise<readonly number[]> {
    const parents = await parentsOfAll(this)
    const below = (parent: number): readonly number[] =>
      [...parents].flatMap(([child, its]) => (its === parent ? [child, ...below(child)] : []))
    return below(pid)
  }

  async commandOf(pid: number): Promise<string | undefined> {
    if ((await this.identify(pid)) === undefined) return undefined
    const shown = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined)
    const words = shown ?? (await this.run('ps', ['-o', 'args=', '-p', String(pid)], {})).stdout
    return words.replaceAll('\0', ' ').trim()
  }

  runHere(program: string, args: readonly string[], options: Pick<RunOptions, 'env'>): Promise<number> {
    return new Promise((resolve, reject) => {
      const child = spawn(program, args, { env: { ...process.env, ...options.env }, stdio: 'inherit' })
      child.once('error', (error) => reject(cannotRun(program, error)))
      child.once('close', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : osConstants.signals[signal])))
    })
  }

  signal(pid: number, signal: Signal): boolean {
    try {
      process.kill(pid, signal)
      return true
    } catch (error) {
      if (failedWith(error, 'ESRCH')) return false
      throw new MaestraError('no-permission', `cannot send ${signal} to process ${pid}: permission denied`, {
        cause: error,
      })
    }
  }
}

/** The parent of every process that can be seen. */
async function parentsOfAll(processes: HostProcesses): Promise<ReadonlyMap<number, number>> {
  const names = await readdir('/proc').catch(() => [])
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number)
  // Systems without /proc have ps; there is no other portable way.
  if (pids.length === 0) return parentsIn((await processes.run('ps', ['-A', '-o', 'pid=,ppid='], {})).stdout)
  const found = await Promise.all(pids.map(async (pid) => [pid, Number((await statFields(pid))?.[1])] as const))
  return new Map(found)
}

function parentsIn(listing: string): ReadonlyMap<number, number> {
  const pairs = [...listing.matchAll(/^\s*(\d+)\s+(\d+)/gm)]
  return new Map(pairs.map(([, pid, parent]) => [Number(pid), Number(parent)]))
}

/**
 * The fields of /proc/<pid>/stat from the third, the state, on. The second, the command in parentheses, may hold anything:
 * what follows its last parenthesis is fixed.
 */
async function statFields(pid: number): Promise<readonly string[] | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
}

function identityOf(account: Account | undefined): { uid?: number; gid?: number } {
  return account === undefined || account.uid === process.getuid?.() ? {} : { uid: account.uid, gid: account.gid }
}

/** Programs get what they need to be found and to speak English without surprises, and none of the caller's secrets. */
function baseEnvironment(): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    LC_ALL: 'C',
    ...(process.env['TZ'] ? { TZ: process.env['TZ'] } : {}),
  }
}

function openLog(path: string): number {
  try {
    // Its folder may be another account's, which could have put a link to somebody's file there.
    const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants
    return openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600)
  } catch (error) {
    throw fileError('open the log file', path, error)
  }
}

function cannotRun(program: string, error: Error): MaestraError {
  const reason = failedWith(error, 'ENOENT')
    ? 'it is not there'
    : failedWith(error, 'EACCES')
      ? 'permission denied'
      : error.message
  return new MaestraError('command-failed', `cannot run ${program}: ${reason}`, { cause: error })
}

function accountIn(passwd: string, nameOrUid: string | number): Account | undefined {
  for (const line of passwd.split('\n')) {
    const [name = '', , uid = '', gid = ''] = line.split(':')
    if (name === nameOrUid || (typeof nameOrUid === 'number' && uid === String(nameOrUid))) {
      return { name, uid: Number(uid), gid: Number(gid) }
    }
  }
  return undefined
}

function nameOfSelf(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? 'unknown')
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return failedWith(error, 'EPERM')
  }
}

let bootId: Promise<string> | undefined

/** Start times count from the boot: without its identity a process of the last boot could look like one of this. */
function bootIdentifier(): Promise<string> {
  bootId ??= readFile('/proc/sys/kernel/random/boot_id', 'utf8').then(
    (text) => text.trim(),
    () => 'unknown-boot',
  )
  return bootId
}
