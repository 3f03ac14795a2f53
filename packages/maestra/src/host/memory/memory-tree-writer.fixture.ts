import { MaestraError } from '@maestra/client/base/error'
import type { Account, TreeWriter } from '../host.js'
import { fileError } from '../local/file-error.js'
import type { MemoryTree } from './memory-tree.fixture.js'

type Options = {
  readonly tree: MemoryTree
  readonly self: Account
  readonly turn: () => Promise<void>
  readonly directory: string
  readonly owner: Account | undefined
}

/** Fills a directory in memory. A file appears when it is ended; what was appended is pending until somebody waits. */
export class MemoryTreeWriter implements TreeWriter {
  readonly #options: Options
  readonly #directories = new Set<string>([''])
  #current: { readonly path: string; readonly mode: number; readonly chunks: Buffer[] } | undefined
  #pendingBytes = 0
  #failure: Error | undefined

  constructor(options: Options) {
    this.#options = options
  }

  get pendingBytes(): number {
    return this.#pendingBytes
  }

  directory(path: string, mode: number): void {
    const relative = this.#enter(path)
    if (this.#directories.has(relative)) return
    this.#make('make the directory', relative, { kind: 'directory', mode: mode & 0o777 })
    this.#directories.add(relative)
  }

  symbolicLink(path: string, target: string): void {
    const relative = this.#enter(path)
    if (target === '' || target.includes('\0')) this.#refuse(path, 'the target of the link is not a path')
    this.#make('make the link', relative, { kind: 'link', mode: 0o777, target })
  }

  beginFile(path: string, mode: number): void {
    const relative = this.#enter(path)
    if (this.#current !== undefined) this.#refuse(path, `${this.#current.path} was not ended`)
    this.#current = { path: relative, mode: mode & 0o777, chunks: [] }
  }

  append(chunk: Buffer): void {
    this.#begun().chunks.push(Buffer.from(chunk))
    this.#pendingBytes += chunk.length
  }

  async settled(): Promise<void> {
    await this.#options.turn()
  }

  endFile(): void {
    const { path, mode, chunks } = this.#begun()
    this.#current = undefined
    this.#make('write', path, { kind: 'file', mode, content: Buffer.concat(chunks) })
  }

  async drainedTo(_bytes: number): Promise<void> {
    this.#throwFailure()
    await this.#options.turn()
    this.#throwFailure()
    this.#pendingBytes = 0
  }

  async finish(): Promise<void> {
    this.#throwFailure()
    if (this.#current !== undefined) this.#refuse(this.#current.path, 'it was not ended')
    await this.drainedTo(0)
  }

  async abandon(): Promise<void> {
    this.#fail(new MaestraError('file-system-failed', `the writing of ${this.#options.directory} was given up`))
    await this.#options.turn()
  }

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

  #make(verb: string, relative: string, like: Parameters<MemoryTree['create']>[1]): void {
    const { tree, self, directory, owner } = this.#options
    const path = `${directory}/${relative}`
    try {
      tree.create(path, like, self)
      if (owner !== undefined && owner.uid !== self.uid) tree.chown(path, owner, self)
    } catch (error) {
      throw this.#fail(fileError(verb, path, error))
    }
  }

  #begun() {
    this.#throwFailure()
    return this.#current ?? this.#refuse('content', 'no file was begun')
  }

  #refuse(path: string, reason: string): never {
    const message = `${JSON.stringify(path)} is not written to ${this.#options.directory}: ${reason}`
    throw this.#fail(new MaestraError('file-system-failed', message))
  }

  #fail(error: Error): Error {
    this.#failure ??= error
    this.#pendingBytes = 0
    return this.#failure
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure
  }
}
