import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MaestraError } from '@maestra/client/base/error'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { LocalTreeWriter } from './tree-writer.js'

/** Paths in the order in which they were synced, and those of which a part was while more of them was written. */
const { synced, syncedAhead, failing } = vi.hoisted(() => ({
  synced: [] as string[],
  syncedAhead: [] as string[],
  failing: { syncAhead: false },
}))

vi.mock('node:fs', async (importOriginal) => {
  const original = await importOriginal<typeof fs>()
  const paths = new Map<number, string>()
  return {
    ...original,
    openSync: (path: string, ...rest: [flags: string | number, mode?: number]) => {
      const fd = original.openSync(path, ...rest)
      paths.set(fd, path)
      return fd
    },
    fsync: (fd: number, done: (error: Error | null) => void) =>
      original.fsync(fd, (error) => {
        synced.push(paths.get(fd) ?? '')
        done(error)
      }),
    fdatasync: (fd: number, done: (error: Error | null) => void) =>
      original.fdatasync(fd, (error) => {
        syncedAhead.push(paths.get(fd) ?? '')
        done(failing.syncAhead ? Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' }) : error)
      }),
  }
})

const asRoot = process.getuid?.() === 0
const onLinux = process.platform === 'linux'
const nobody = { name: 'nobody', uid: 65534, gid: 65534 }

let root: string
const mounts: string[] = []

beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), 'maestra-tree-'))
  synced.length = 0
  syncedAhead.length = 0
  failing.syncAhead = false
})

afterEach(() => {
  for (const mount of mounts.splice(0)) execFileSync('umount', [mount])
  fs.rmSync(root, { recursive: true, force: true })
})

function mountTmpfs(options: string): string {
  const directory = join(root, 'mounted')
  fs.mkdirSync(directory)
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', directory])
  mounts.push(directory)
  return directory
}

/** Bytes that differ at every place where a write could go wrong. */
function pattern(length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let i = 0; i + 4 <= length; i += 4) bytes.writeUInt32LE(i, i)
  return bytes
}

function put(
  writer: LocalTreeWriter,
  path: string,
  content: Buffer,
  options: { mode?: number; pieces?: number } = {},
): void {
  const { mode = 0o600, pieces = 32 * 1024 } = options
  writer.beginFile(path, mode)
  for (let at = 0; at < content.length; at += pieces) writer.append(content.subarray(at, at + pieces))
  writer.endFile()
}

/** One that is synced once before its end. */
function putLarge(writer: LocalTreeWriter): void {
  const mebibyte = Buffer.alloc(1024 * 1024)
  writer.beginFile('large', 0o600)
  for (let i = 0; i < 70; i++) writer.append(mebibyte)
  writer.endFile()
}

async function failureOf(action: () => unknown): Promise<MaestraError> {
  try {
    await action()
  } catch (error) {
    if (error instanceof MaestraError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

function openDescriptors(): number {
  return fs.readdirSync('/dev/fd').length
}

describe('LocalTreeWriter', () => {
  it('writes files of every size with their content', async () => {
    const sizes = [0, 1, 262_143, 262_144, 262_145, 5_000_000]
    const writer = new LocalTreeWriter(root, { sync: false })
    for (const size of sizes) put(writer, `file-${size}`, pattern(size), { pieces: 31_000 })
    await writer.finish()
    for (const size of sizes) {
      expect(fs.readFileSync(join(root, `file-${size}`)).equals(pattern(size)), `${size} bytes`).toBe(true)
    }
    expect(writer.pendingBytes).toBe(0)
  })

  it('needs nothing of a chunk any more when it is settled, also in the middle of a file', async () => {
    const writer = new LocalTreeWriter(root, { sync: false })
    const chunk = Buffer.alloc(300_000)
    writer.beginFile('file', 0o600)
    for (const letter of ['a', 'b', 'c', 'd', 'e']) {
      writer.append(chunk.fill(letter))
      if (letter === 'd') writer.append(chunk.subarray(0, 7))
      await writer.settled()
    }
    writer.endFile()
    chunk.fill('z')
    await writer.finish()
    const expected = ['a', 'b', 'c', 'd', 'e']
      .map((letter) => letter.repeat(300_000 + (letter === 'd' ? 7 : 0)))
      .join('')
    expect(fs.readFileSync(join(root, 'file'), 'latin1') === expected).toBe(true)
  })

  it('writes any number of chunks in one file, also of one byte', async () => {
    const writer = new LocalTreeWriter(root, { sync: false })
    put(writer, 'large', pattern(100_000), { pieces: 7 })
    put(writer, 'small', pattern(3_000), { pieces: 1 })
    await writer.finish()
    expect(fs.readFileSync(join(root, 'large')).equals(pattern(100_000))).toBe(true)
    expect(fs.readFileSync(join(root, 'small')).equals(pattern(3_000))).toBe(true)
  })

  it('sets modes whatever the umask', async () => {
    const umask = process.umask(0o077)
    try {
      const writer = new LocalTreeWriter(root, { sync: false })
      writer.directory('pg_wal/', 0o750)
      writer.directory('./pg_wal/archive_status', 0o700)
      put(writer, 'pg_wal/small', pattern(10), { mode: 0o640 })
      put(writer, 'pg_wal/large', pattern(100_000), { mode: 0o644 })
      await writer.finish()
    } finally {
      process.umask(umask)
    }
    const mode = (path: string): number => fs.statSync(join(root, path)).mode & 0o7777
    expect(mode('pg_wal')).toBe(0o750)
    expect(mode('pg_wal/archive_status')).toBe(0o700)
    expect(mode('pg_wal/small')).toBe(0o640)
    expect(mode('pg_wal/large')).toBe(0o644)
  })

  it('gives what it makes to the owner when it runs as root, and else leaves it as it is', async () => {
    const self = { name: 'self', uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
    const owner = asRoot ? nobody : self
    const writer = new LocalTreeWriter(root, { owner, sync: true })
    writer.directory('base', 0o700)
    put(writer, 'base/small', pattern(10))
    put(writer, 'base/large', pattern(100_000))
    writer.symbolicLink('base/link', '/somewhere')
    await writer.finish()
    for (const path of ['base', 'base/small', 'base/large', 'base/link']) {
      const { uid, gid } = fs.lstatSync(join(root, path))
      expect({ path, uid, gid }).toEqual({ path, uid: owner.uid, gid: owner.gid })
    }
  })

  it('makes symbolic links, and never writes through one', async () => {
    const outside = fs.mkdtempSync(join(tmpdir(), 'maestra-outside-'))
    try {
      const writer = new LocalTreeWriter(root, { sync: false })
      writer.symbolicLink('link', outside)
      expect(fs.readlinkSync(join(root, 'link'))).toBe(outside)
      const error = await failureOf(() => writer.beginFile('link/file', 0o600))
      expect(error.message).toBe(
        `"link/file" is not written to ${root}: link is not one of the directories made before`,
      )
      await writer.abandon()

      for (const attempt of ['file', 'directory'] as const) {
        const again = new LocalTreeWriter(root, { sync: false })
        again.symbolicLink(attempt, join(outside, attempt))
        const refused = await failureOf(() => {
          if (attempt === 'file') put(again, attempt, pattern(1))
          else again.directory(attempt, 0o700)
        })
        expect(refused.message).toMatch(/EEXIST/)
        await again.abandon()
      }
      expect(fs.readdirSync(outside)).toEqual([])
    } finally {
      fs.rmSync(outside, { recursive: true })
    }
  })

  it.each([
    ['an absolute path', '/etc/passwd', 'the path is absolute'],
    ['a path that leads upwards', '../file', 'the path leads upwards'],
    ['a path that leads upwards in its middle', 'base/../../file', 'the path leads upwards'],
    ['a zero byte', 'a\0b', 'the path holds a zero byte'],
    ['no name', './', 'the path names nothing'],
    ['a directory that was not made', 'base/1', 'base is not one of the directories made before'],
  ])('refuses %s', async (_, path, reason) => {
    for (const call of [
      (writer: LocalTreeWriter) => writer.beginFile(path, 0o600),
      (writer: LocalTreeWriter) => writer.directory(path, 0o700),
      (writer: LocalTreeWriter) => writer.symbolicLink(path, 'target'),
    ]) {
      const writer = new LocalTreeWriter(root, { sync: false })
      const error = await failureOf(() => call(writer))
      expect(error.code).toBe('file-system-failed')
      expect(error.message).toBe(`${JSON.stringify(path)} is not written to ${root}: ${reason}`)
      await expect(writer.finish()).rejects.toBe(error)
    }
    expect(fs.readdirSync(root)).toEqual([])
  })

  it('does not overwrite what is there', async () => {
    fs.writeFileSync(join(root, 'file'), 'theirs')
    const writer = new LocalTreeWriter(root, { sync: false })
    const error = await failureOf(() => put(writer, 'file', pattern(4)))
    expect(error.code).toBe('file-system-failed')
    expect(error.message).toContain(join(root, 'file'))
    expect(fs.readFileSync(join(root, 'file'), 'utf8')).toBe('theirs')
  })

  it('drains to what it is asked for in the middle of a file', async () => {
    const writer = new LocalTreeWriter(root, { sync: false })
    writer.beginFile('file', 0o600)
    writer.append(pattern(10))
    expect(writer.pendingBytes).toBe(10)
    await writer.drainedTo(10)
    expect(writer.pendingBytes).toBe(10)
    await writer.drainedTo(0)
    expect(writer.pendingBytes).toBe(0)
    for (let i = 0; i < 10; i++) writer.append(Buffer.alloc(1_000_000, i))
    await writer.drainedTo(3_000_000)
    expect(writer.pendingBytes).toBeLessThanOrEqual(3_000_000)
    writer.endFile()
    await writer.finish()
    expect(fs.statSync(join(root, 'file')).size).toBe(10_000_010)
  })

  it('syncs each file, then each directory, the deepest first, when it is asked to', async () => {
    const writer = new LocalTreeWriter(root, { sync: true })
    writer.directory('base', 0o700)
    writer.directory('base/5', 0o700)
    writer.directory('global', 0o700)
    put(writer, 'base/5/large', pattern(2_000_000))
    put(writer, 'base/5/small', pattern(10))
    put(writer, 'global/pg_control', pattern(8192))
    await writer.finish()
    const relative = synced.map((path) => path.slice(root.length + 1))
    expect(relative.slice(0, 3).sort()).toEqual(['base/5/large', 'base/5/small', 'global/pg_control'])
    expect(relative.slice(3)).toEqual(['base/5', 'base', 'global', ''])
  })

  it('syncs nothing when it is not asked to', async () => {
    const writer = new LocalTreeWriter(root, { sync: false })
    put(writer, 'file', pattern(10))
    putLarge(writer)
    await writer.finish()
    expect({ synced, syncedAhead }).toEqual({ synced: [], syncedAhead: [] })
  })

  it('puts a large file on the disk while it is written, and syncs it at the end all the same', async () => {
    const writer = new LocalTreeWriter(root, { sync: true })
    putLarge(writer)
    await writer.finish()
    expect(syncedAhead).toEqual([join(root, 'large')])
    expect(synced).toEqual([join(root, 'large'), root])
  })

  it('fails when that fails, for nothing else would tell', async () => {
    failing.syncAhead = true
    const writer = new LocalTreeWriter(root, { sync: true })
    putLarge(writer)
    const error = await failureOf(() => writer.finish())
    expect(error.message).toMatch(/^cannot sync .*\/large: .*EIO/)
    await writer.abandon()
    expect(synced).toEqual([])
  })

  it.runIf(asRoot && onLinux)('says that the disk is full, once and for all', async () => {
    const full = mountTmpfs('size=3m')
    const before = openDescriptors()
    for (const size of [8_000_000, 40_000]) {
      const writer = new LocalTreeWriter(full, { sync: true })
      const error = await failureOf(async () => {
        for (let i = 0; i < 200; i++) {
          put(writer, `file-${size}-${i}`, pattern(size))
          await writer.drainedTo(1_000_000)
        }
      })
      expect(error.code).toBe('file-system-failed')
      expect(error.message).toMatch(/^cannot write \/.*\/mounted\/file-\d+-\d+: no space left on the device$/)
      expect(() => writer.beginFile('more', 0o600)).toThrow(error)
      expect(() => writer.append(pattern(1))).toThrow(error)
      await expect(writer.drainedTo(0)).rejects.toBe(error)
      await expect(writer.finish()).rejects.toBe(error)
      await writer.abandon()
      expect(writer.pendingBytes).toBe(0)
      expect(fs.existsSync(join(full, 'more'))).toBe(false)
    }
    expect(openDescriptors()).toBe(before)
  })

  it.runIf(onLinux)('says that a write was refused, whichever account it runs under', async () => {
    // A limit on the size of files is the one way to make a write fail that needs no privileges; SIGXFSZ is ignored by
    // Node.js.
    const limit = (bytes: string): void => {
      execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:`])
    }
    const writer = new LocalTreeWriter(root, { sync: false })
    limit('200000')
    try {
      put(writer, 'fits', pattern(150_000))
      const error = await failureOf(async () => {
        put(writer, 'large', pattern(3_000_000))
        await writer.finish()
      })
      expect(error.code).toBe('file-system-failed')
      expect(error.message).toMatch(/^cannot write .*\/large: .*EFBIG/)
      await writer.abandon()
    } finally {
      limit('unlimited')
    }
  })

  it('says that it may not write, with the path', async () => {
    const closed = asRoot ? mountTmpfs('ro') : join(root, 'closed')
    if (!asRoot) fs.mkdirSync(closed, { mode: 0o500 })
    const error = await failureOf(() => put(new LocalTreeWriter(closed, { sync: false }), 'file', pattern(10)))
    expect(error.message).toContain(`cannot write ${join(closed, 'file')}: `)
    expect(error.message).toMatch(asRoot ? /read-only/ : /permission denied/)
  })

  it('stops and closes everything when it is abandoned, and throws then', async () => {
    const before = openDescriptors()
    const writer = new LocalTreeWriter(root, { sync: false })
    put(writer, 'done', pattern(3_000_000))
    writer.beginFile('half', 0o600)
    writer.append(pattern(3_000_000))
    await writer.abandon()
    const error = await failureOf(() => writer.drainedTo(0))
    expect(error.message).toBe(`the writing of ${root} was given up`)
    await writer.settled()
    expect(openDescriptors()).toBe(before)
    expect(() => writer.append(pattern(1))).toThrow(/given up/)
    await expect(writer.finish()).rejects.toThrow(/given up/)
    await writer.abandon()
  })

  it('refuses to finish in the middle of a file', async () => {
    const writer = new LocalTreeWriter(root, { sync: false })
    writer.beginFile('file', 0o600)
    await expect(writer.finish()).rejects.toThrow(/"file" is not written to .*: it was not ended/)
  })
})
