/**
 * A machine where nodes live: this one, later one that is reached by SSH. Whatever is done to a node's files or
 * processes is done through this interface; it knows nothing of PostgreSQL. Paths are absolute.
 */
export interface Host {
  /** For messages: `this machine`. */
  readonly name: string
  readonly files: HostFiles
  readonly processes: HostProcesses
  readonly network: HostNetwork
}

/** An account of the host under which files are owned and programs run. */
export type Account = {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

export type FileStat = {
  readonly kind: 'file' | 'directory' | 'link' | 'other'
  readonly uid: number
  readonly gid: number
  /** Permission bits only, for example 0o700. */
  readonly mode: number
  readonly size: number
  readonly mtimeMs: number
  readonly inode: number
  /** The file system that it is on: another one than its folder's for a mount point. */
  readonly device: number
}

export type WriteOptions = {
  /** Permission bits of a new file; an existing file keeps its own. */
  readonly mode: number
  /** Owner of a new file; an existing file keeps its own. */
  readonly owner?: Account | undefined
}

export interface HostFiles {
  /** Undefined when nothing is there. Does not follow links. Throws `no-permission` when it cannot be known. */
  stat(path: string): Promise<FileStat | undefined>
  /** The path with every link on the way followed; undefined when nothing is there. */
  realPath(path: string): Promise<string | undefined>
  /** Names in a directory, sorted; undefined when it is not there. */
  list(directory: string): Promise<readonly string[] | undefined>
  /** Undefined when the file is not there. */
  readText(path: string): Promise<string | undefined>
  /** The whole file, or at most so many bytes of it, from its beginning or from a place in it. */
  readBytes(path: string, mostBytes?: number, from?: number): Promise<Buffer | undefined>
  /**
   * Whole content at once: a temporary file beside it, synced, renamed over it, the directory synced. A link is
   * followed where this account made it, and is an error else.
   */
  write(path: string, content: string | Uint8Array, options: WriteOptions): Promise<void>
  /** Overwrites bytes inside a file where it stands. Not safe against a crash: for files that nobody relies on yet. */
  patch(path: string, offset: number, bytes: Uint8Array): Promise<void>
  /** Creates the file with its content in one step; false, and nothing changed, when it exists. */
  create(path: string, content: string, options: WriteOptions): Promise<boolean>
  /**
   * Makes the directory; missing parents too, with mode 0755 and the same owner. An existing directory is left as it
   * is.
   */
  makeDirectory(path: string, options: WriteOptions): Promise<void>
  /** Replaces a file, or an empty directory, at `to`. */
  rename(from: string, to: string): Promise<void>
  /** Removes one file; nothing there is fine. */
  removeFile(path: string): Promise<void>
  /** Removes a directory and all below it; nothing there is fine. The caller has made sure that it may go. */
  removeTree(directory: string): Promise<void>
  /**
   * Copies what is in one directory into another, which is made when it is missing; owned by `owner` where given. Modes are
   * kept. After an error nothing more is written.
   */
  copyTree(from: string, to: string, options: { readonly owner?: Account | undefined }): Promise<void>
  /**
   * Copies a directory with hard links to its files, or with copies where the file system does not link; modes are
   * kept.
   */
  linkTree(from: string, to: string): Promise<void>
  /** A symbolic link at `path`; one that is there already is replaced. */
  symbolicLink(path: string, target: string): Promise<void>
  /** Makes directory entries durable. */
  syncDirectory(directory: string): Promise<void>
  /** Writes everything below the directory through to the disk. */
  syncTree(directory: string): Promise<void>
  /** Opens an existing, empty directory to be filled in one stream. */
  fillTree(directory: string, options: TreeOptions): TreeWriter
  /** The first folder on the way to the path that the account cannot enter; undefined when it can enter all. */
  firstClosedFolder(path: string, account: Account): Promise<string | undefined>
}

/**
 * Fills a directory from a stream whose parts come in order. Calls only queue the work, so that a synchronous reader of a
 * socket can use it; the caller watches `pendingBytes` and pauses its source. Paths are relative; one that would leave the
 * directory is an error.
 */
export type TreeOptions = {
  /** Of everything that is made; the account of this process when undefined. */
  readonly owner?: Account | undefined
  /** Whether each file, and then each directory, is durable when `finish` resolves. */
  readonly sync: boolean
}
export interface TreeWriter {
  readonly pendingBytes: number
  directory(path: string, mode: number): void
  beginFile(path: string, mode: number): void
  /** The chunk's memory may be used again once a `settled` that was called later resolves. */
  append(chunk: Buffer): void
  /** Resolves when nothing that was appended so far is needed any more: it was written, or given up. Does not reject. */
  settled(): Promise<void>
  endFile(): void
  symbolicLink(path: string, target: string): void
  /** Resolves when at most `bytes` are pending. Rejects with the first error; after one nothing more is written. */
  drainedTo(bytes: number): Promise<void>
  /** Waits for everything. */
  finish(): Promise<void>
  /** Closes what is open after an error; what was written stays for the caller to remove. */
  abandon(): Promise<void>
}

export type RunOptions = {
  /** The account to run as; that of the host's self when undefined. */
  readonly account?: Account | undefined
  /** Variables beside the few that every program gets. */
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  readonly signal?: AbortSignal | undefined
}

export type DaemonOptions = Pick<RunOptions, 'account' | 'env'> & {
  readonly logFile: string
  /** Has the daemon's standard input be a pipe that ends when this process does, however it ends; else it has none. */
  readonly endsWithOwner?: boolean
}

export type RunResult = {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

export interface HostProcesses {
  /** The account under which this host runs what is not told otherwise. */
  self(): Account
  /** An account by name or uid; undefined when there is none. */
  account(nameOrUid: string | number): Promise<Account | undefined>
  /**
   * Runs a program to its end. `input` is its standard input. Secrets never go into `args` or `env`. An aborted signal ends
   * it, and rejects with the signal's reason when it is gone; aborted before, nothing is run.
   */
  run(program: string, args: readonly string[], options: RunOptions): Promise<RunResult>
  /**
   * Starts a program in a session of its own, so that it outlives this process and gets no signal of the terminal. Its
   * output is appended to `logFile`. Resolves when it runs.
   */
  startDaemon(program: string, args: readonly string[], options: DaemonOptions): Promise<Daemon>
  /** What identifies a running process beyond its pid, which is used again; undefined when no such process runs. */
  identify(pid: number): Promise<ProcessIdentity | undefined>
  /**
   * The parent of a process that has ended and that nobody has asked how, so that its pid is still taken and answers to
   * signals; undefined for any other.
   */
  parentOfZombie(pid: number): Promise<number | undefined>
  /** Every process below this one: its children and theirs. Empty when it does not run. */
  descendants(pid: number): Promise<readonly number[]>
  /** What a process shows as its command line, which it may write itself; undefined when it does not run. */
  commandOf(pid: number): Promise<string | undefined>
  /** True when the signal was delivered. */
  signal(pid: number, signal: Signal): boolean
  /** Runs a program on this terminal, as a shell would; its exit code. The terminal's signals are the program's own. */
  runHere(program: string, args: readonly string[], options: Pick<RunOptions, 'env'>): Promise<number>
}

/** SIGSTOP has a process stand still until SIGCONT. */
export type Signal = 'SIGINT' | 'SIGTERM' | 'SIGQUIT' | 'SIGHUP' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'

export type Daemon = {
  readonly pid: number
  /** How it ended, in words that follow a comma: `it exited with code 1`. Undefined while it runs. */
  exit(): string | undefined
  /** Ends its standard input, where that is a pipe of this process. */
  release(): void
}

export type ProcessIdentity = {
  readonly pid: number
  /** Opaque; equal for the same process, different for another one with the same pid. */
  readonly startedAt: string
  /** The working directory, where the caller may see it. */
  readonly workingDirectory: string | undefined
  /** The account it runs as, where that can be seen. */
  readonly uid: number | undefined
  /** Whether SIGSTOP has it stand still. */
  readonly stopped: boolean
}

export interface HostNetwork {
  /** Whether the address or name is one of this host's own. */
  isOwnAddress(address: string): Promise<boolean>
  /** Whether a server can listen there now; the reason when it cannot. */
  canListen(
    address: string,
    port: number,
  ): Promise<{ readonly free: true } | { readonly free: false; readonly reason: string }>
  /** A port that is free on the loopback address at this moment. */
  freePort(): Promise<number>
}
