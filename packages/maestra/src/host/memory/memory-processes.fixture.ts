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
import { failedWith, fileError } from '../local/file-error.js'
import { MemoryFiles } from './memory-files.fixture.js'
import { type MemoryEnd, MemoryProcess, type MemoryProgram } from './memory-process.fixture.js'
import { type MemoryInode, type MemoryTree, may, systemError } from './memory-tree.fixture.js'

const signalNumbers = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGKILL: 9, SIGTERM: 15, SIGCONT: 18, SIGSTOP: 19 }
const searchPath = ['/usr/bin', '/bin']

type Launch = Pick<RunOptions, 'account' | 'env'> & {
  readonly input: Promise<string>
  readonly write: (stream: 'out' | 'err', text: string) => void
}

/** Programs in memory: functions that are installed at a path, and processes that run them. */
export class MemoryProcesses implements HostProcesses {
  readonly #tree: MemoryTree
  readonly #self: Account
  readonly #accounts: readonly Account[]
  readonly #turn: () => Promise<void>
  readonly #ports: Map<number, MemoryProcess>
  readonly #programs = new WeakMap<MemoryInode, MemoryProgram>()
  /** Those that run, and those that have ended and whose parent has not asked how. */
  readonly #table = new Map<number, MemoryProcess>()
  #lastPid = process.pid

  constructor(options: {
    readonly tree: MemoryTree
    readonly self: Account
    readonly accounts: readonly Account[]
    readonly turn: () => Promise<void>
    /** Taken ports of the loopback address, and who has them. */
    readonly ports: Map<number, MemoryProcess>
  }) {
    this.#tree = options.tree
    this.#self = options.self
    this.#accounts = options.accounts
    this.#turn = options.turn
    this.#ports = options.ports
    const root = options.accounts.find(({ uid }) => uid === 0) ?? options.self
    // The first process of the system, and this one, which is on every host that it can use.
    this.#enter(1, 0, { account: root })
    this.#enter(process.pid, 1, { account: this.#self })
  }

  /** Puts a program where it can be run. */
  install(path: string, program: MemoryProgram): void {
    const root = { name: 'root', uid: 0, gid: 0 }
    this.#programs.set(this.#tree.create(path, { kind: 'file', mode: 0o755 }, root), program)
  }

  self(): Account {
    return this.#self
  }

  async account(nameOrUid: string | number): Promise<Account | undefined> {
    await this.#turn()
    return this.#accounts.find(({ name, uid }) => name === nameOrUid || uid === nameOrUid)
  }

  async run(program: string, args: readonly string[], options: RunOptions): Promise<RunResult> {
    options.signal?.throwIfAborted()
    const written = { out: '', err: '' }
    const child = this.#launch(program, args, {
      ...options,
      input: Promise.resolve(options.input ?? ''),
      write: (stream, text) => {
        written[stream] += text
      },
    })
    const abort = (): void => child.take('SIGTERM')
    options.signal?.addEventListener('abort', abort, { once: true })
    const end = await child.ended
    options.signal?.removeEventListener('abort', abort)
    options.signal?.throwIfAborted()
    const by = 'signal' in end ? `ended by ${end.signal}` : ''
    return { exitCode: 'code' in end ? end.code : -1, stdout: written.out, stderr: written.err + by }
  }

  async startDaemon(program: string, args: readonly string[], options: DaemonOptions): Promise<Daemon> {
    await this.#turn()
    const log = this.#openLog(options.logFile)
    let release = (): void => {}
    const released = new Promise<string>((resolve) => {
      release = () => resolve('')
    })
    const child = this.#launch(program, args, {
      ...options,
      input: options.endsWithOwner ? released : Promise.resolve(''),
      write: (_stream, text) => {
        log.content = Buffer.concat([log.content, Buffer.from(text)])
        log.mtimeMs = this.#tree.now()
      },
    })
    return { pid: child.pid, exit: () => (child.end === undefined ? undefined : inWords(child.end)), release }
  }

  async runHere(program: string, args: readonly string[], { env }: Pick<RunOptions, 'env'>): Promise<number> {
    await this.#turn()
    const end = await this.#launch(program, args, { env: env ?? {}, input: Promise.resolve(''), write: () => {} }).ended
    return 'code' in end ? end.code : 128 + signalNumbers[end.signal]
  }

  async identify(pid: number): Promise<ProcessIdentity | undefined> {
    await this.#turn()
    const found = this.#table.get(pid)
    if (found === undefined || found.end !== undefined) return undefined
    // A pid is given once, so that it tells when the process started, too.
    const { account, stopped } = found
    return { pid, startedAt: `memory:${pid}`, workingDirectory: '/', uid: account.uid, stopped }
  }

  async parentOfZombie(pid: number): Promise<number | undefined> {
    await this.#turn()
    const found = this.#table.get(pid)
    return found?.end === undefined ? undefined : found.parent
  }

  async descendants(pid: number): Promise<readonly number[]> {
    await this.#turn()
    const below = (parent: number): readonly number[] =>
      [...this.#table.values()].flatMap((each) => (each.parent === parent ? [each.pid, ...below(each.pid)] : []))
    return below(pid)
  }

  async commandOf(pid: number): Promise<string | undefined> {
    const found = await this.identify(pid)
    return found === undefined ? undefined : this.#table.get(pid)?.args.join(' ')
  }

  signal(pid: number, signal: Signal): boolean {
    const found = this.#table.get(pid)
    if (found === undefined) return false
    if (this.#self.uid !== 0 && found.account.uid !== this.#self.uid) {
      throw new MaestraError('no-permission', `cannot send ${signal} to process ${pid}: permission denied`)
    }
    found.take(signal)
    return true
  }

  #launch(path: string, args: readonly string[], launch: Launch): MemoryProcess {
    const program = this.#programAt(path)
    const account = launch.account ?? this.#self
    if (account.uid !== this.#self.uid && this.#self.uid !== 0) throw cannotRun(path, systemError('EPERM', path))
    this.#lastPid += 1
    const child = this.#enter(this.#lastPid, process.pid, { ...launch, account, args })
    // This process asks at once how its children ended.
    void child.ended.then(() => this.#table.delete(child.pid))
    child.run(program)
    return child
  }

  #enter(
    pid: number,
    parent: number,
    {
      account,
      args = [],
      env = {},
      input = Promise.resolve(''),
      write = () => {},
    }: {
      readonly account: Account
      readonly args?: readonly string[]
      readonly env?: Readonly<Record<string, string>> | undefined
      readonly input?: Promise<string>
      readonly write?: Launch['write']
    },
  ): MemoryProcess {
    const made = new MemoryProcess({
      pid,
      parent,
      account,
      args,
      env: { PATH: searchPath.join(':'), LC_ALL: 'C', ...env },
      input,
      write,
      files: new MemoryFiles(this.#tree, account, this.#turn),
      startChild: (program, childArgs, of) => this.#startChild(program, childArgs, of, write),
      listen: (port, of) => this.#listen(port, of),
    })
    this.#table.set(pid, made)
    return made
  }

  /** A child of a program. It keeps its place in the table when it ends, since nobody asks how; it goes with its parent. */
  #startChild(program: MemoryProgram, args: readonly string[], parent: MemoryProcess, write: Launch['write']) {
    this.#lastPid += 1
    const child = this.#enter(this.#lastPid, parent.pid, { account: parent.account, args, env: parent.env, write })
    void parent.ended.then(() => {
      if (child.end !== undefined) this.#table.delete(child.pid)
      // The first process of the system asks how it ended.
      else void child.ended.then(() => this.#table.delete(child.pid))
    })
    child.run(program)
    return child
  }

  #listen(port: number, process: MemoryProcess): void {
    if (this.#ports.has(port)) throw systemError('EADDRINUSE', String(port))
    this.#ports.set(port, process)
    void process.ended.then(() => this.#ports.delete(port))
  }

  #programAt(path: string): MemoryProgram {
    const candidates = path.includes('/') ? [path] : searchPath.map((folder) => `${folder}/${path}`)
    let missing: unknown = systemError('ENOENT', path)
    for (const candidate of candidates) {
      try {
        const inode = this.#tree.open(candidate, this.#self)
        const program = this.#programs.get(inode)
        if (program === undefined || !may(inode, this.#self, 1)) throw systemError('EACCES', path)
        return program
      } catch (error) {
        missing = error
      }
    }
    throw cannotRun(path, missing)
  }

  #openLog(path: string): MemoryInode {
    try {
      const { found } = this.#tree.find(path, this.#self, { follow: false })
      if (found === undefined) return this.#tree.create(path, { kind: 'file', mode: 0o600 }, this.#self)
      if (found.kind === 'link') throw systemError('ELOOP', path)
      if (!may(found, this.#self, 2)) throw systemError('EACCES', path)
      return found
    } catch (error) {
      throw fileError('open the log file', path, error)
    }
  }
}

function inWords(end: MemoryEnd): string {
  return 'code' in end ? `it exited with code ${end.code}` : `it was ended by ${end.signal}`
}

function cannotRun(program: string, error: unknown): MaestraError {
  const reason = failedWith(error, 'ENOENT')
    ? 'it is not there'
    : failedWith(error, 'EACCES')
      ? 'permission denied'
      : String(error)
  return new MaestraError('command-failed', `cannot run ${program}: ${reason}`, { cause: error })
}
