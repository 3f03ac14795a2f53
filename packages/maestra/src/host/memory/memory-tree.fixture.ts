import { getSystemErrorMap } from 'node:util'
import type { Account, FileStat } from '../host.js'

/** What a name in a directory stands for. */
export type MemoryInode = {
  readonly inode: number
  readonly kind: FileStat['kind']
  device: number
  uid: number
  gid: number
  /** Permission bits only. */
  mode: number
  mtimeMs: number
  /** Of a file. */
  content: Buffer
  /** Of a link: where it leads. */
  readonly target: string
  /** Of a directory. */
  readonly entries: Map<string, MemoryInode>
}

/** Where a path leads: the directory that has its last name, and what the name stands for if there is such a thing. */
export type Place = {
  readonly path: string
  readonly parent: MemoryInode
  readonly name: string
  readonly found: MemoryInode | undefined
}

type New = Pick<MemoryInode, 'kind' | 'mode'> & { readonly content?: Uint8Array; readonly target?: string }

const words = new Map([...getSystemErrorMap().values()])
const maxLinks = 40

/**
 * Files in memory, with the calls of an operating system: each does one thing at once, for an account, and throws an error
 * with the name that the system gives it.
 */
export class MemoryTree {
  #inodes = 0
  #devices = 1
  #lastMs = 0
  readonly #root = this.#make({ kind: 'directory', mode: 0o755 }, { name: 'root', uid: 0, gid: 0 }, this.#devices)

  /** Follows links on the way, and with `follow` the last name too. */
  find(path: string, who: Account, options: { readonly follow: boolean }): Place {
    const way: { name: string; inode: MemoryInode }[] = [{ name: '', inode: this.#root }]
    const names = namesOf(path)
    let links = 0
    for (let name = names.shift(); name !== undefined; name = names.shift()) {
      const { inode: parent } = last(way)
      if (parent.kind !== 'directory') throw systemError('ENOTDIR', path)
      refuseUnless(may(parent, who, 1), path)
      if (name === '..') {
        if (way.length > 1) way.pop()
        continue
      }
      const found = parent.entries.get(name)
      if (found === undefined) {
        if (names.length > 0) throw systemError('ENOENT', path)
        return { path: pathOf([...way.map((each) => each.name), name]), parent, name, found }
      }
      if (found.kind === 'link' && (names.length > 0 || options.follow)) {
        links += 1
        if (links > maxLinks) throw systemError('ELOOP', path)
        if (found.target.startsWith('/')) way.splice(1)
        names.unshift(...namesOf(found.target))
        continue
      }
      way.push({ name, inode: found })
    }
    const parent = way.at(-2)?.inode ?? this.#root
    return { path: pathOf(way.map(({ name }) => name)), parent, name: last(way).name, found: last(way).inode }
  }

  /** What the path leads to, links followed; `ENOENT` when nothing is there. */
  open(path: string, who: Account): MemoryInode {
    const { found } = this.find(path, who, { follow: true })
    if (found === undefined) throw systemError('ENOENT', path)
    return found
  }

  read(path: string, who: Account): Buffer {
    const inode = this.open(path, who)
    if (inode.kind === 'directory') throw systemError('EISDIR', path)
    refuseUnless(may(inode, who, 4), path)
    return Buffer.from(inode.content)
  }

  names(path: string, who: Account): readonly string[] {
    const inode = this.open(path, who)
    if (inode.kind !== 'directory') throw systemError('ENOTDIR', path)
    refuseUnless(may(inode, who, 4), path)
    return [...inode.entries.keys()].sort()
  }

  /** Something new at a path where nothing is, a link to nothing included. */
  create(path: string, like: New, who: Account): MemoryInode {
    const { parent, name, found } = this.find(path, who, { follow: false })
    if (found !== undefined) throw systemError('EEXIST', path)
    refuseUnless(may(parent, who, 3), path)
    const made = this.#make(like, who, parent.device)
    this.#enter(parent, name, made)
    return made
  }

  /** A second name of a file. */
  link(from: string, to: string, who: Account): void {
    const source = this.find(from, who, { follow: false }).found
    if (source === undefined) throw systemError('ENOENT', from)
    const { parent, name, found } = this.find(to, who, { follow: false })
    if (found !== undefined) throw systemError('EEXIST', to)
    if (source.device !== parent.device) throw systemError('EXDEV', to)
    refuseUnless(may(parent, who, 3), to)
    this.#enter(parent, name, source)
  }

  rename(from: string, to: string, who: Account): void {
    const source = this.find(from, who, { follow: false })
    const target = this.find(to, who, { follow: false })
    const moved = source.found
    if (moved === undefined) throw systemError('ENOENT', from)
    refuseUnless(may(source.parent, who, 3) && may(target.parent, who, 3), from)
    if (isMount(source) || isMount(target)) throw systemError('EBUSY', from)
    if (moved.device !== target.parent.device) throw systemError('EXDEV', from)
    if (target.path.startsWith(`${source.path}/`)) throw systemError('EINVAL', from)
    if (target.found !== undefined && target.found !== moved) refuseToReplace(target.found, moved, to)
    source.parent.entries.delete(source.name)
    source.parent.mtimeMs = this.now()
    this.#enter(target.parent, target.name, moved)
  }

  /** Takes one name away: of anything but a directory that holds something. */
  remove(path: string, who: Account): void {
    const place = this.find(path, who, { follow: false })
    if (place.found === undefined) throw systemError('ENOENT', path)
    refuseUnless(may(place.parent, who, 3), path)
    if (isMount(place)) throw systemError('EBUSY', path)
    if (place.found.entries.size > 0) throw systemError('ENOTEMPTY', path)
    place.parent.entries.delete(place.name)
    place.parent.mtimeMs = this.now()
  }

  /** New bytes of a file that is there, from an offset on. */
  overwrite(path: string, offset: number, bytes: Uint8Array, who: Account): void {
    const inode = this.open(path, who)
    if (inode.kind === 'directory') throw systemError('EISDIR', path)
    refuseUnless(may(inode, who, 2), path)
    const content = Buffer.alloc(Math.max(inode.content.length, offset + bytes.length))
    inode.content.copy(content)
    content.set(bytes, offset)
    inode.content = content
    inode.mtimeMs = this.now()
  }

  /** Of what the path itself is: a link is not followed. */
  chown(path: string, owner: Pick<Account, 'uid' | 'gid'>, who: Account): void {
    const inode = this.#own(path, who)
    if (who.uid !== 0 && (owner.uid !== inode.uid || owner.gid !== who.gid)) throw systemError('EPERM', path)
    inode.uid = owner.uid
    inode.gid = owner.gid
  }

  chmod(path: string, mode: number, who: Account): void {
    this.#own(path, who).mode = mode & 0o7777
  }

  /** Makes a directory the mount point of a file system of its own. */
  mount(path: string, who: Account): void {
    this.#devices += 1
    this.open(path, who).device = this.#devices
  }

  /** Later than every time before: what is written again is seen to be. */
  now(): number {
    this.#lastMs = Math.max(Date.now(), this.#lastMs + 1)
    return this.#lastMs
  }

  #own(path: string, who: Account): MemoryInode {
    const { found } = this.find(path, who, { follow: false })
    if (found === undefined) throw systemError('ENOENT', path)
    if (who.uid !== 0 && who.uid !== found.uid) throw systemError('EPERM', path)
    return found
  }

  #enter(parent: MemoryInode, name: string, inode: MemoryInode): void {
    parent.entries.set(name, inode)
    parent.mtimeMs = this.now()
  }

  #make(
    { kind, mode, content = Buffer.alloc(0), target = '' }: New,
    { uid, gid }: Account,
    device: number,
  ): MemoryInode {
    this.#inodes += 1
    return {
      inode: this.#inodes,
      kind,
      device,
      uid,
      gid,
      mode: mode & 0o7777,
      mtimeMs: this.now(),
      content: Buffer.from(content),
      target,
      entries: new Map(),
    }
  }
}

/** Whether the account may: 4 read, 2 write, 1 enter or run. */
export function may(inode: MemoryInode, { uid, gid }: Account, bits: number): boolean {
  // Root may all, but run what nobody may.
  if (uid === 0) return inode.kind === 'directory' || bits !== 1 || (inode.mode & 0o111) !== 0
  const shift = inode.uid === uid ? 6 : inode.gid === gid ? 3 : 0
  return ((inode.mode >> shift) & bits) === bits
}

/** As the operating system says it: `ENOENT: no such file or directory, '/a'`. */
export function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${words.get(code) ?? 'unknown error'}, '${path}'`), { code, path })
}

function refuseUnless(allowed: boolean, path: string): void {
  if (!allowed) throw systemError('EACCES', path)
}

function refuseToReplace(replaced: MemoryInode, by: MemoryInode, path: string): void {
  if (replaced.kind === 'directory' && by.kind !== 'directory') throw systemError('EISDIR', path)
  if (replaced.kind !== 'directory' && by.kind === 'directory') throw systemError('ENOTDIR', path)
  if (replaced.entries.size > 0) throw systemError('ENOTEMPTY', path)
}

function isMount({ parent, found }: Place): boolean {
  return found !== undefined && found.device !== parent.device
}

function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.')
}

function pathOf(names: readonly string[]): string {
  return names.length === 1 ? '/' : names.join('/')
}

function last<T>(list: readonly T[]): T {
  return list[list.length - 1] as T
}
