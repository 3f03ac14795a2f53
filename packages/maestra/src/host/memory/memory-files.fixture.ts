import { dirname, join } from 'node:path'
import type { Account, FileStat, HostFiles, TreeOptions, TreeWriter, WriteOptions } from '../host.js'
import { failedWith, fileError } from '../local/file-error.js'
import { type MemoryInode, type MemoryTree, systemError } from './memory-tree.fixture.js'
import { MemoryTreeWriter } from './memory-tree-writer.fixture.js'

/**
 * Files in memory, for one account. Between the steps of an operation it waits for its turn, as on a machine, where
 * others get theirs meanwhile.
 */
export class MemoryFiles implements HostFiles {
  readonly #tree: MemoryTree
  readonly #self: Account
  readonly #turn: () => Promise<void>
  #temporaryNames = 0

  constructor(tree: MemoryTree, self: Account, turn: () => Promise<void>) {
    this.#tree = tree
    this.#self = self
    this.#turn = turn
  }

  async stat(path: string): Promise<FileStat | undefined> {
    return await this.#look('look at', path, () => {
      const { found } = this.#tree.find(path, this.#self, { follow: false })
      return found === undefined ? undefined : statOf(found)
    })
  }

  async realPath(path: string): Promise<string | undefined> {
    return await this.#look('look at', path, () => {
      const place = this.#tree.find(path, this.#self, { follow: true })
      return place.found === undefined ? undefined : place.path
    })
  }

  async list(directory: string): Promise<readonly string[] | undefined> {
    return await this.#look('list', directory, () => this.#tree.names(directory, this.#self))
  }

  async readText(path: string): Promise<string | undefined> {
    return (await this.readBytes(path))?.toString('utf8')
  }

  async readBytes(path: string, mostBytes?: number, from = 0): Promise<Buffer | undefined> {
    const whole = await this.#look('read', path, () => this.#tree.read(path, this.#self))
    return mostBytes === undefined ? whole : whole?.subarray(from, from + mostBytes)
  }

  async write(path: string, content: string | Uint8Array, options: WriteOptions): Promise<void> {
    await this.#do('write', path, async () => {
      const target = this.#targetOf(path)
      const before = this.#find(target)
      const temporary = `${target}.maestra-new`
      if (this.#find(temporary) !== undefined) this.#tree.remove(temporary, this.#self)
      this.#writeNew(temporary, content, before ?? { mode: options.mode, ...options.owner })
      await this.#turn()
      try {
        this.#tree.rename(temporary, target, this.#self)
      } catch (error) {
        this.#tree.remove(temporary, this.#self)
        throw error
      }
    })
  }

  async patch(path: string, offset: number, bytes: Uint8Array): Promise<void> {
    await this.#do('write', path, () => this.#tree.overwrite(path, offset, bytes, this.#self))
  }

  async create(path: string, content: string, options: WriteOptions): Promise<boolean> {
    return await this.#do('create', path, async () => {
      this.#temporaryNames += 1
      const temporary = `${path}.maestra-${process.pid}-${this.#temporaryNames}`
      this.#writeNew(temporary, content, { mode: options.mode, ...options.owner })
      await this.#turn()
      try {
        this.#tree.link(temporary, path, this.#self)
        return true
      } catch (error) {
        if (failedWith(error, 'EEXIST')) return false
        throw error
      } finally {
        this.#tree.remove(temporary, this.#self)
      }
    })
  }

  async makeDirectory(path: string, options: WriteOptions): Promise<void> {
    await this.#do('make the directory', path, () => this.#makeDirectory(path, options))
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#do(`rename ${from} to`, to, () => this.#tree.rename(from, to, this.#self))
  }

  async removeFile(path: string): Promise<void> {
    await this.#do('remove', path, () => {
      const found = this.#find(path)
      if (found?.kind === 'directory') throw systemError('EISDIR', path)
      if (found !== undefined) this.#tree.remove(path, this.#self)
    })
  }

  async removeTree(directory: string): Promise<void> {
    await this.#do('remove', directory, () => this.#removeTree(directory))
  }

  async copyTree(from: string, to: string, options: { readonly owner?: Account | undefined }): Promise<void> {
    await this.#do(`copy ${from} to`, to, async () => {
      this.#makeDirectory(to, { mode: this.#tree.open(from, this.#self).mode, owner: options.owner })
      const names = this.#tree.names(from, this.#self)
      const copies = await Promise.allSettled(
        names.map(async (name) => {
          const [source, target] = [join(from, name), join(to, name)]
          if (this.#find(source)?.kind === 'directory') return await this.copyTree(source, target, options)
          await this.#turn()
          this.#copyOne(source, target)
          this.#give(target, options.owner)
        }),
      )
      const failed = copies.find((copy) => copy.status === 'rejected')
      if (failed !== undefined) throw failed.reason
    })
  }

  async linkTree(from: string, to: string): Promise<void> {
    await this.#do(`copy ${from} to`, to, async () => {
      const { mode } = this.#tree.open(from, this.#self)
      this.#tree.create(to, { kind: 'directory', mode: mode | 0o700 }, this.#self)
      for (const name of this.#tree.names(from, this.#self)) {
        const [source, target] = [join(from, name), join(to, name)]
        const kind = this.#find(source)?.kind
        if (kind === 'directory') await this.linkTree(source, target)
        else if (kind === 'link') this.#copyOne(source, target)
        else this.#tree.link(source, target, this.#self)
      }
    })
  }

  async symbolicLink(path: string, target: string): Promise<void> {
    await this.#do('link', path, () => {
      if (this.#find(path) !== undefined) this.#tree.remove(path, this.#self)
      this.#tree.create(path, { kind: 'link', mode: 0o777, target }, this.#self)
    })
  }

  async syncDirectory(directory: string): Promise<void> {
    await this.#do('sync', directory, () => this.#tree.open(directory, this.#self))
  }

  async syncTree(directory: string): Promise<void> {
    await this.#do('sync', directory, () => this.#tree.names(directory, this.#self))
  }

  fillTree(directory: string, options: TreeOptions): TreeWriter {
    return new MemoryTreeWriter({
      tree: this.#tree,
      self: this.#self,
      turn: this.#turn,
      directory,
      owner: options.owner,
    })
  }

  async firstClosedFolder(path: string, account: Account): Promise<string | undefined> {
    await this.#turn()
    for (const folder of foldersDownTo(dirname(path))) {
      const real = await this.realPath(folder).catch(() => undefined)
      if (real === undefined) return undefined
      for (const passed of real === folder ? [folder] : foldersDownTo(real)) {
        if (this.#isClosed(passed, account)) return passed
      }
    }
    return undefined
  }

  #isClosed(folder: string, { uid, gid }: Account): boolean {
    const { kind, mode, ...owner } = this.#tree.open(folder, this.#self)
    if (kind !== 'directory' || uid === 0) return false
    return (mode & (owner.uid === uid ? 0o100 : owner.gid === gid ? 0o010 : 0o001)) === 0
  }

  /** The file that a link of this account stands for; any other path is itself. */
  #targetOf(path: string): string {
    const found = this.#find(path)
    if (found?.kind !== 'link') return path
    if (found.uid !== this.#self.uid) throw new Error('it is a link that another account made')
    const place = this.#tree.find(path, this.#self, { follow: true })
    if (place.found === undefined) throw new Error('it is a link to a file that is not there')
    return place.path
  }

  #writeNew(path: string, content: string | Uint8Array, like: { mode: number; uid?: number; gid?: number }): void {
    this.#tree.create(path, { kind: 'file', mode: like.mode, content: Buffer.from(content as string) }, this.#self)
    const { uid, gid } = like
    if (uid === undefined || gid === undefined) return
    try {
      this.#give(path, { uid, gid })
    } catch (error) {
      this.#tree.remove(path, this.#self)
      throw error
    }
  }

  #makeDirectory(path: string, options: WriteOptions): void {
    try {
      this.#tree.create(path, { kind: 'directory', mode: options.mode }, this.#self)
      this.#give(path, options.owner)
    } catch (error) {
      if (failedWith(error, 'EEXIST') && this.#leadsTo(path) === 'directory') return
      if (!failedWith(error, 'ENOENT') || this.#find(dirname(path)) !== undefined) throw error
      this.#makeDirectory(dirname(path), { ...options, mode: 0o755 })
      this.#makeDirectory(path, options)
    }
  }

  #removeTree(path: string): void {
    const found = this.#find(path)
    if (found === undefined) return
    if (found.kind === 'directory') {
      for (const name of this.#tree.names(path, this.#self)) this.#removeTree(join(path, name))
    }
    this.#tree.remove(path, this.#self)
  }

  #copyOne(from: string, to: string): void {
    const { kind, mode, target } = this.#find(from) ?? {}
    if (kind === 'link') this.#tree.create(to, { kind, mode: 0o777, target: target ?? '' }, this.#self)
    else
      this.#tree.create(to, { kind: 'file', mode: mode ?? 0, content: this.#tree.read(from, this.#self) }, this.#self)
  }

  #give(path: string, owner: Pick<Account, 'uid' | 'gid'> | undefined): void {
    if (owner === undefined || (owner.uid === this.#self.uid && owner.gid === this.#self.gid)) return
    this.#tree.chown(path, owner, this.#self)
  }

  /** What is there, a link not followed; undefined also where a folder on the way is missing. */
  #find(path: string): MemoryInode | undefined {
    try {
      return this.#tree.find(path, this.#self, { follow: false }).found
    } catch (error) {
      if (failedWith(error, 'ENOENT')) return undefined
      throw error
    }
  }

  #leadsTo(path: string): FileStat['kind'] | undefined {
    return this.#tree.find(path, this.#self, { follow: true }).found?.kind
  }

  async #look<T>(action: string, path: string, look: () => T): Promise<T | undefined> {
    await this.#turn()
    try {
      return look()
    } catch (error) {
      if (failedWith(error, 'ENOENT')) return undefined
      throw fileError(action, path, error)
    }
  }

  async #do<T>(action: string, path: string, work: () => T | Promise<T>): Promise<T> {
    await this.#turn()
    try {
      return await work()
    } catch (error) {
      throw fileError(action, path, error)
    }
  }
}

function statOf({ inode, kind, uid, gid, mode, mtimeMs, device, content, target }: MemoryInode): FileStat {
  return { kind, uid, gid, mode, size: kind === 'link' ? target.length : content.length, mtimeMs, inode, device }
}

function foldersDownTo(folder: string): readonly string[] {
  const parent = dirname(folder)
  return parent === folder ? [folder] : [...foldersDownTo(parent), folder]
}
