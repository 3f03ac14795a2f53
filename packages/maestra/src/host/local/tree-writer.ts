import * as fs from 'node:fs'
import { MaestraError } from '@maestra/client/base/error'
import type { Account, TreeOptions, TreeWriter } from '../host.js'
import { fileError } from './file-error.js'

/**
 * So many bytes are gathered before they are written in one call. For a call of 512 KiB and more Linux looks for memory in large
 * pieces, which is slow to come: on virtual machines it has often been given back to the host.
 */
const gatheredBytes = 256 * 1024

/** POSIX lets a call take 1024 (IOV_MAX of Linux and of macOS). */
const gatheredChunks = 1024

/** Files that are made durable at the same time: a journalling file system commits them together. */
const parallelSyncs = 8

/**
 * So much of a file may be written and not be on the disk, before it is put there while more is written: else the kernel leaves
 * nearly all of a large file to the sync at the end.
 */
const syncedAheadBytes = 64 * 1024 * 1024

type OpenFile = {
  /** Relative to the root. */
  readonly path: string
  readonly mode: number
  /** Undefined before the first write, and after closing. */
  fd: number | undefined
  syncing: boolean
  /** Bytes that were written since the last sync began. */
  unsyncedBytes: number
  ended: boolean
}

type Waiter = {
  readonly reached: () => boolean
  readonly resolve: () => void
  /** Undefined for one that waits on after an error. */
  readonly reject?: (error: Error) => void
}

/**
 * Fills a directory of this machine. Only directories that this writer has made are entered, and files are only ever
 * created, so
 * that no link on the way leads elsewhere. What is appended is written from where it lies, and by the thread that appends it: for
 * what a core copies meanwhile, the way to the thread pool and back costs too much, and a disk that is slow has the reader wait in
 * any case. Each call throws the first error that happened, so that a reader notices it at its next call.
 */
export class LocalTreeWriter implements TreeWriter {
  readonly #root: string
  readonly #owner: Account | undefined
  readonly #sync: boolean
  /** Relative paths; the root is the empty one. */
  readonly #directories = new Set<string>([''])
  readonly #files: string[] = []
  #current: OpenFile | undefined
  #gathered: Buffer[] = []
  #gatheredBytes = 0
  /** Files that have a descriptor. */
  readonly #openFiles = new Set<OpenFile>()
  #failure: Error | undefined
  #waiters: Waiter[] = []

  constructor(directory: string, { owner, sync }: TreeOptions) {
    this.#root = directory
    this.#sync = sync
    this.#owner = owner?.uid === process.geteuid?.() ? undefined : owner
  }

  /** Bytes that were appended and are not yet written. */
  get pendingBytes(): number {
    return this.#gatheredBytes
  }

  directory(path: string, mode: number): void {
    const relative = this.#enter(path)
    // The same directory twice is one directory; whatever else has the name is in the way.
    if (this.#directories.has(relative)) return
    const absolute = this.#absolute(relative)
    this.#attempt('make the directory', relative, () => {
      fs.mkdirSync(absolute, 0o700)
      if (this.#owner) fs.lchownSync(absolute, this.#owner.uid, this.#owner.gid)
      // The mode of mkdir is subject to the umask.
      fs.chmodSync(absolute, mode & 0o777)
    })
    this.#directories.add(relative)
  }

  symbolicLink(path: string, target: string): void {
    const relative = this.#enter(path)
    if (target === '' || target.includes('\0')) this.#refuse(path, 'the target of the link is not a path')
    const absolute = this.#absolute(relative)
    this.#attempt('make the link', relative, () => {
      fs.symlinkSync(target, absolute)
      if (this.#owner) fs.lchownSync(absolute, this.#owner.uid, this.#owner.gid)
    })
  }

  beginFile(path: string, mode: number): void {
    const relative = this.#enter(path)
    if (this.#current) this.#refuse(path, `${this.#current.path} was not ended`)
    this.#current = {
      path: relative,
      mode: mode & 0o777,
      fd: undefined,
      syncing: false,
      unsyncedBytes: 0,
      ended: false,
    }
  }

  append(chunk: Buffer): void {
    const file = this.#begun()
    if (chunk.length === 0) return
    this.#gathered.push(chunk)
    this.#gatheredBytes += chunk.length
    if (this.#gatheredBytes >= gatheredBytes || this.#gathered.length === gatheredChunks) this.#writeGathered(file)
  }

  async settled(): Promise<void> {
    try {
      // What is gathered would wait for the file's next chunk.
      if (this.#current) this.#writeGathered(this.#current)
    } catch {
      // The next call throws it.
    }
  }

  endFile(): void {
    const file = this.#begun()
    if (file.fd === undefined) this.#writeWhole(file)
    else this.#writeGathered(file)
    this.#current = undefined
    this.#files.push(file.path)
    file.ended = true
    this.#closeWhenSynced(file)
  }

  async drainedTo(bytes: number): Promise<void> {
    this.#throwFailure()
    // What is gathered would wait for the file's next chunk.
    if (this.#current && this.#gatheredBytes > bytes) this.#writeGathered(this.#current)
  }

  async finish(): Promise<void> {
    this.#throwFailure()
    if (this.#current) this.#refuse(this.#current.path, 'it was not ended')
    await this.#until(() => this.#openFiles.size === 0)
    if (this.#sync) await this.#syncAll()
  }

  async abandon(): Promise<void> {
    this.#fail(new MaestraError('file-system-failed', `the writing of ${this.#root} was given up`))
    await this.#untilDespiteErrors(() => this.#openFiles.size === 0)
  }

  /**
   * The path without `.` and doubled slashes. Its parent must be a directory of this writer: so it is no link, and
   * lies in the root.
   */
  #enter(path: string): string {
    this.#throwFailure()
    if (path.startsWith('/')) this.#refuse(path, 'the path is absolute')
    if (path.includes('\0')) this.#refuse(path, 'the path holds a zero byte')
    const names = path.split('/').filter((name) => name !== '' && name !== '.')
    if (names.includes('..')) this.#refuse(path, 'the path leads upwards')
    if (names.length === 0) this.#refuse(path, 'the path names nothing')
    const parent = names.slice(0, -1).join('/')
    if (!this.#directories.has(parent)) this.#refuse(path, `${parent} is not one of the directories made before`)
    return names.join('/')
  }

  #absolute(relative: string): string {
    return relative === '' ? this.#root : `${this.#root}/${relative}`
  }

  #begun(): OpenFile {
    this.#throwFailure()
    return this.#current ?? this.#refuse('content', 'no file was begun')
  }

  #create({ path, mode }: OpenFile): number {
    // O_EXCL makes a new file: it neither opens what exists nor follows a link.
    const flags = fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_EXCL
    const fd = fs.openSync(this.#absolute(path), flags, 0o600)
    try {
      if (this.#owner) fs.fchownSync(fd, this.#owner.uid, this.#owner.gid)
      if (mode !== 0o600) fs.fchmodSync(fd, mode)
    } catch (error) {
      fs.closeSync(fd)
      throw error
    }
    return fd
  }

  /** What is gathered is all of it. */
  #writeWhole(file: OpenFile): void {
    const length = this.#gatheredBytes
    const chunks = this.#takeGathered()
    this.#attempt('write', file.path, () => {
      const fd = this.#create(file)
      try {
        writeAll(fd, chunks, length)
      } finally {
        fs.closeSync(fd)
      }
    })
  }

  #takeGathered(): Buffer[] {
    const chunks = this.#gathered
    this.#gathered = []
    this.#gatheredBytes = 0
    return chunks
  }

  #writeGathered(file: OpenFile): void {
    const length = this.#gatheredBytes
    if (length === 0) return
    const fd = file.fd ?? this.#attempt('write', file.path, () => this.#create(file))
    file.fd = fd
    this.#openFiles.add(file)
    const chunks = this.#takeGathered()
    this.#attempt('write', file.path, () => writeAll(fd, chunks, length))
    file.unsyncedBytes += length
    if (this.#sync && file.unsyncedBytes >= syncedAheadBytes && !file.syncing) this.#syncAhead(file, fd)
  }

  #closeWhenSynced(file: OpenFile): void {
    const { fd } = file
    if (fd === undefined || file.syncing || !(file.ended || this.#failure)) return
    file.fd = undefined
    fs.close(fd, (error) => {
      this.#openFiles.delete(file)
      if (error) this.#fail(fileError('write', this.#absolute(file.path), error))
      this.#wakeWaiters()
    })
  }

  /** Of what is written so far. The sync at the end is what counts. */
  #syncAhead(file: OpenFile, fd: number): void {
    if (this.#failure) return
    file.unsyncedBytes = 0
    file.syncing = true
    fs.fdatasync(fd, (error) => {
      file.syncing = false
      // The kernel says an error once: nobody would hear of it at the end.
      if (error) this.#fail(fileError('sync', this.#absolute(file.path), error))
      this.#closeWhenSynced(file)
      this.#wakeWaiters()
    })
  }

  async #syncAll(): Promise<void> {
    const files = this.#files.values()
    const syncFiles = async (): Promise<void> => {
      for (const path of files) await this.#syncOne(path)
    }
    await Promise.all(Array.from({ length: parallelSyncs }, syncFiles))
    // A directory is durable only together with what it names: the deepest come first.
    const deepestFirst = [...this.#directories].sort((a, b) => depth(b) - depth(a))
    for (const path of deepestFirst) await this.#syncOne(path)
  }

  async #syncOne(relative: string): Promise<void> {
    this.#throwFailure()
    try {
      // These are short calls; only the sync is worth the way to the thread pool.
      const fd = fs.openSync(this.#absolute(relative), 'r')
      try {
        await new Promise<void>((resolve, reject) => fs.fsync(fd, (error) => (error ? reject(error) : resolve())))
      } finally {
        fs.closeSync(fd)
      }
    } catch (error) {
      throw this.#fail(fileError('sync', this.#absolute(relative), error))
    }
  }

  #attempt<T>(verb: string, relative: string, action: () => T): T {
    try {
      return action()
    } catch (error) {
      throw this.#fail(fileError(verb, this.#absolute(relative), error))
    }
  }

  #refuse(path: string, reason: string): never {
    throw this.#fail(
      new MaestraError('file-system-failed', `${JSON.stringify(path)} is not written to ${this.#root}: ${reason}`),
    )
  }

  /** Keeps the first error and returns it; nothing is written any more. */
  #fail(error: Error): Error {
    if (this.#failure) return this.#failure
    this.#failure = error
    this.#current = undefined
    this.#takeGathered()
    const waiters = this.#waiters
    this.#waiters = waiters.filter(({ reject }) => reject === undefined)
    for (const { reject } of waiters) reject?.(error)
    for (const file of this.#openFiles) this.#closeWhenSynced(file)
    return error
  }

  #throwFailure(): void {
    if (this.#failure) throw this.#failure
  }

  async #until(reached: () => boolean): Promise<void> {
    if (reached()) return
    await new Promise<void>((resolve, reject) => this.#waiters.push({ reached, resolve, reject }))
  }

  async #untilDespiteErrors(reached: () => boolean): Promise<void> {
    if (reached()) return
    await new Promise<void>((resolve) => this.#waiters.push({ reached, resolve }))
  }

  #wakeWaiters(): void {
    const reached = this.#waiters.filter((waiter) => waiter.reached())
    this.#waiters = this.#waiters.filter((waiter) => !reached.includes(waiter))
    for (const waiter of reached) waiter.resolve()
  }
}

/** Of the root 0. */
function depth(relative: string): number {
  return relative === '' ? 0 : relative.split('/').length
}

/** Behind what was written to the file before. */
function writeAll(fd: number, chunks: readonly Buffer[], length: number): void {
  // A short write is how the kernel says that the disk is full; the next call has the error.
  for (let at = fs.writevSync(fd, chunks); at < length; ) at += fs.writevSync(fd, chunksAfter(chunks, at))
}

/** What of the chunks comes behind so many bytes. */
function chunksAfter(chunks: readonly Buffer[], bytes: number): readonly Buffer[] {
  let left = bytes
  const first = chunks.findIndex((chunk) => {
    if (left < chunk.length) return true
    left -= chunk.length
    return false
  })
  return first === -1 ? [] : [(chunks[first] as Buffer).subarray(left), ...chunks.slice(first + 1)]
}
