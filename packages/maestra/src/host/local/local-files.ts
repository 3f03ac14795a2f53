import { constants } from 'node:fs'
import * as fs from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Account, FileStat, HostFiles, TreeOptions, TreeWriter, WriteOptions } from '../host.js'
import { failedWith, fileError } from './file-error.js'
import { LocalTreeWriter } from './tree-writer.js'

let temporaryNames = 0

/** Files of this machine. */
export class LocalFiles implements HostFiles {
  readonly #sync: boolean

  constructor(sync: boolean) {
    this.#sync = sync
  }

  async stat(path: string): Promise<FileStat | undefined> {
    try {
      const found = await fs.lstat(path)
      return {
        kind: found.isFile() ? 'file' : found.isDirectory() ? 'directory' : found.isSymbolicLink() ? 'link' : 'other',
        uid: found.uid,
        gid: found.gid,
        mode: found.mode & 0o7777,
        size: found.size,
        mtimeMs: found.mtimeMs,
        inode: found.ino,
        device: found.dev,
      }
    } catch (error) {
      if (failedWith(error, 'ENOENT')) return undefined
      throw fileError('look at', path, error)
    }
  }

  async realPath(path: string): Promise<string | undefined> {
    try {
      return await fs.realpath(path)
    } catch (error) {
      if (failedWith(error, 'ENOENT')) return undefined
      throw fileError('look at', path, error)
    }
  }

  async list(directory: string): Promise<readonly string[] | undefined> {
    try {
      return (await fs.readdir(directory)).sort()
    } catch (error) {
      if (failedWith(error, 'ENOENT')) return undefined
      throw fileError('list', directory, error)
    }
  }

  async readText(path: string): Promise<string | undefined> {
    return (await this.readBytes(path))?.toString('utf8')
  }

  async readBytes(path: string, mostBytes?: number, from = 0): Promise<Buffer | undefined> {
    try {
      if (mostBytes === undefined) return await fs.readFile(path)
      const file = await fs.open(path)
      try {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(mostBytes), 0, mostBytes, from)
        return buffer.subarray(0, bytesRead)
      } finally {
        await file.close()
      }
    } catch (error) {
      if (failedWith(error, 'ENOENT')) return undefined
      throw fileError('read', path, error)
    }
  }

  async write(path: string, content: string | Uint8Array, options: WriteOptions): Promise<void> {
    try {
      const found = await this.stat(path)
      // The file that a link stands for keeps its place; renaming over the link would leave two files that differ.
      const target = found?.kind === 'link' ? await this.targetOf(path, found) : path
      const before = target === path ? found : await this.stat(target)
      // One name for all writes of a file, so that what a killed one left is replaced by the next.
      const temporary = `${target}.maestra-new`
      await fs.rm(temporary, { force: true })
      await writeNew(temporary, content, before ?? { mode: options.mode, ...ownerOf(options.owner) }, this.#sync)
      try {
        await fs.rename(temporary, target)
      } catch (error) {
        await fs.rm(temporary, { force: true })
        throw error
      }
      await this.syncDirectory(dirname(target))
    } catch (error) {
      throw fileError('write', path, error)
    }
  }

  /** Links of others are not followed: the account of a server could have root write any file by one. */
  private async targetOf(link: string, found: FileStat): Promise<string> {
    if (found.uid !== process.getuid?.()) throw new Error('it is a link that another account made')
    const target = await this.realPath(link)
    if (target === undefined) throw new Error('it is a link to a file that is not there')
    return target
  }

  async patch(path: string, offset: number, bytes: Uint8Array): Promise<void> {
    try {
      const file = await fs.open(path, 'r+')
      try {
        await file.write(bytes, 0, bytes.length, offset)
      } finally {
        await file.close()
      }
    } catch (error) {
      throw fileError('write', path, error)
    }
  }

  async create(path: string, content: string, options: WriteOptions): Promise<boolean> {
    try {
      temporaryNames += 1
      const temporary = `${path}.maestra-${process.pid}-${temporaryNames}`
      await writeNew(temporary, content, { mode: options.mode, ...ownerOf(options.owner) }, this.#sync)
      try {
        await fs.link(temporary, path)
        return true
      } catch (error) {
        if (failedWith(error, 'EEXIST')) return false
        throw error
      } finally {
        await fs.rm(temporary, { force: true })
      }
    } catch (error) {
      throw fileError('create', path, error)
    }
  }

  async makeDirectory(path: string, options: WriteOptions): Promise<void> {
    try {
      await this.makeOneDirectory(path, options)
    } catch (error) {
      if (!failedWith(error, 'ENOENT') || dirname(path) === path) throw fileError('make the directory', path, error)
      await this.makeDirectory(dirname(path), { ...options, mode: 0o755 })
      // Once more and not again: /proc answers that something is missing to whoever makes a directory there.
      await this.makeOneDirectory(path, options).catch((again) => {
        throw fileError('make the directory', path, again)
      })
    }
  }

  private async makeOneDirectory(path: string, options: WriteOptions): Promise<void> {
    try {
      await fs.mkdir(path, { mode: options.mode })
    } catch (error) {
      if (failedWith(error, 'EEXIST') && (await this.isDirectory(path))) return
      throw error
    }
    await setOwner(path, options.owner)
    await fs.chmod(path, options.mode)
  }

  private async isDirectory(path: string): Promise<boolean> {
    return (await fs.stat(path).catch(() => undefined))?.isDirectory() ?? false
  }

  async rename(from: string, to: string): Promise<void> {
    try {
      await fs.rename(from, to)
      await this.syncDirectory(dirname(to))
    } catch (error) {
      throw fileError(`rename ${from} to`, to, error)
    }
  }

  async removeFile(path: string): Promise<void> {
    try {
      await fs.rm(path, { force: true })
    } catch (error) {
      throw fileError('remove', path, error)
    }
  }

  async removeTree(directory: string): Promise<void> {
    try {
      // Again while it fills: a program that a killed run started may still write there, and stops when its files are gone.
      await fs.rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
    } catch (error) {
      throw fileError('remove', directory, error)
    }
  }

  async copyTree(from: string, to: string, options: { readonly owner?: Account | undefined }): Promise<void> {
    try {
      await this.makeDirectory(to, { mode: (await fs.stat(from)).mode & 0o7777, owner: options.owner })
      const entries = await fs.readdir(from, { withFileTypes: true })
      const copies = await Promise.allSettled(
        entries.map(async (entry) => {
          const source = join(from, entry.name)
          const target = join(to, entry.name)
          if (entry.isDirectory()) return this.copyTree(source, target, options)
          if (entry.isSymbolicLink()) await fs.symlink(await fs.readlink(source), target)
          else await fs.copyFile(source, target, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL)
          await setOwner(target, options.owner)
        }),
      )
      // Only when all have ended: the caller of a failed copy removes the target, and nothing may appear in it then.
      const failed = copies.find((copy) => copy.status === 'rejected')
      if (failed !== undefined) throw failed.reason
    } catch (error) {
      throw fileError(`copy ${from} to`, to, error)
    }
  }

  async linkTree(from: string, to: string): Promise<void> {
    try {
      await fs.mkdir(to)
      // Whatever the umask is. The owner can always write, so that the copy can be filled, completed and removed.
      await fs.chmod(to, ((await fs.stat(from)).mode & 0o7777) | 0o700)
      for (const entry of await fs.readdir(from, { withFileTypes: true })) {
        const source = join(from, entry.name)
        const target = join(to, entry.name)
        if (entry.isDirectory()) await this.linkTree(source, target)
        else if (entry.isSymbolicLink()) await fs.symlink(await fs.readlink(source), target)
        else await fs.link(source, target).catch(() => fs.copyFile(source, target, constants.COPYFILE_FICLONE))
      }
    } catch (error) {
      throw fileError(`copy ${from} to`, to, error)
    }
  }

  async symbolicLink(path: string, target: string): Promise<void> {
    try {
      await fs.rm(path, { force: true })
      await fs.symlink(target, path)
    } catch (error) {
      throw fileError('link', path, error)
    }
  }

  async syncDirectory(directory: string): Promise<void> {
    if (this.#sync) await syncPath(directory)
  }

  async syncTree(directory: string): Promise<void> {
    try {
      for (const entry of await fs.readdir(directory, { withFileTypes: true })) {
        const path = join(directory, entry.name)
        if (entry.isDirectory()) await this.syncTree(path)
        else if (entry.isFile()) await syncPath(path)
      }
      await syncPath(directory)
    } catch (error) {
      throw fileError('sync', directory, error)
    }
  }

  fillTree(directory: string, options: TreeOptions): TreeWriter {
    return new LocalTreeWriter(directory, options)
  }

  async firstClosedFolder(path: string, account: Account): Promise<string | undefined> {
    for (const folder of foldersDownTo(dirname(path))) {
      const real = await fs.realpath(folder).catch(() => undefined)
      if (real === undefined) return undefined
      // Behind a link other folders are on the way than those that the path names.
      for (const passed of real === folder ? [folder] : foldersDownTo(real)) {
        if (await isClosed(passed, account)) return passed
      }
    }
    return undefined
  }
}

async function isClosed(folder: string, account: Account): Promise<boolean> {
  const found = await fs.stat(folder).catch(() => undefined)
  if (found === undefined || !found.isDirectory() || account.uid === 0) return false
  const bit = found.uid === account.uid ? 0o100 : found.gid === account.gid ? 0o010 : 0o001
  return (found.mode & bit) === 0
}

/** A new file with the content synced, the mode and the owner set. */
async function writeNew(
  temporary: string,
  content: string | Uint8Array,
  like: { readonly mode: number; readonly uid?: number; readonly gid?: number },
  sync: boolean,
): Promise<void> {
  const file = await fs.open(temporary, 'wx', 0o600)
  try {
    await file.writeFile(content)
    if (like.uid !== undefined && like.gid !== undefined) {
      // A new file has the group of its directory rather than ours where that is setgid, and everywhere on macOS.
      const made = await file.stat()
      if (made.uid !== like.uid || made.gid !== like.gid) await file.chown(like.uid, like.gid)
    }
    await file.chmod(like.mode)
    if (sync) await file.sync()
  } catch (error) {
    await fs.rm(temporary, { force: true })
    throw error
  } finally {
    await file.close()
  }
}

function ownerOf(owner: Account | undefined): { uid?: number; gid?: number } {
  return owner === undefined ? {} : { uid: owner.uid, gid: owner.gid }
}

async function setOwner(path: string, owner: Account | undefined): Promise<void> {
  if (owner !== undefined && differsFromSelf(owner.uid, owner.gid)) await fs.lchown(path, owner.uid, owner.gid)
}

function differsFromSelf(uid: number, gid: number): boolean {
  return uid !== process.getuid?.() || gid !== process.getgid?.()
}

async function syncPath(path: string): Promise<void> {
  const handle = await fs.open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** `/`, `/a`, `/a/b` for `/a/b`. */
function foldersDownTo(folder: string): readonly string[] {
  const parent = dirname(folder)
  return parent === folder ? [folder] : [...foldersDownTo(parent), folder]
}
