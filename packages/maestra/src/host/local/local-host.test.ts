import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import type * as fsPromises from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { hostConformance } from '../host.conformance.js'
import { shellOutside } from '../shell-outside.fixture.js'
import { LocalHost } from './local-host.js'

/** What was synced and renamed, in that order. */
const happened: string[] = []

vi.mock('node:fs/promises', async (importOriginal) => {
  const original = await importOriginal<typeof fsPromises>()
  const open: typeof original.open = async (path, ...rest) => {
    const handle = await original.open(path, ...rest)
    const sync = handle.sync.bind(handle)
    handle.sync = async () => {
      await sync()
      happened.push(`sync ${String(path)}`)
    }
    return handle
  }
  const rename: typeof original.rename = async (from, to) => {
    await original.rename(from, to)
    happened.push(`rename ${String(from)} ${String(to)}`)
  }
  return { ...original, open, rename }
})

const asRoot = process.getuid?.() === 0

function newDirectory(): string {
  const directory = fs.mkdtempSync(join(fs.realpathSync(tmpdir()), 'maestra-host-'))
  // Other accounts have to be able to pass where the tests run as root.
  fs.chmodSync(directory, 0o755)
  return directory
}

for (const sync of [true, false]) {
  hostConformance(`LocalHost, sync ${sync}`, async () => {
    const directory = newDirectory()
    const host = new LocalHost({ sync })
    return {
      host,
      directory,
      outside: shellOutside(host),
      dispose: async () => fs.rmSync(directory, { recursive: true, force: true }),
    }
  })
}

describe('LocalHost', () => {
  const host = new LocalHost()
  let directory: string
  let mounted: string | undefined

  beforeEach(() => {
    directory = newDirectory()
  })

  afterEach(() => {
    if (mounted !== undefined) execFileSync('umount', [mounted])
    mounted = undefined
    fs.rmSync(directory, { recursive: true, force: true })
  })

  it('keeps the previous content of a file, and leaves nothing beside it, when the disk is full', async () => {
    const folder = join(directory, 'small')
    const path = join(folder, 'settings')
    fs.mkdirSync(folder)
    if (asRoot) {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder])
      mounted = folder
    }
    fs.writeFileSync(path, 'before')
    // Only root can make a file system that is small; for others the folder takes no new file.
    if (!asRoot) fs.chmodSync(folder, 0o555)
    const message = asRoot
      ? `cannot write ${path}: no space left on the device`
      : `cannot write ${path}: permission denied`
    await expect(host.files.write(path, Buffer.alloc(1024 * 1024), { mode: 0o600 })).rejects.toThrow(message)
    expect(fs.readFileSync(path, 'utf8')).toBe('before')
    expect(fs.readdirSync(folder)).toEqual(['settings'])
    await expect(host.files.create(join(folder, 'new'), 'x'.repeat(1024 * 1024), { mode: 0o600 })).rejects.toThrow(
      asRoot ? 'no space left on the device' : 'permission denied',
    )
    expect(fs.readdirSync(folder)).toEqual(['settings'])
    fs.chmodSync(folder, 0o755)
  })

  it('keeps the group of a file also where new files take the one of their directory', async () => {
    const group = process.getgid?.() ?? 0
    const path = join(directory, 'settings')
    fs.writeFileSync(path, 'before')
    // Only root can give a directory to a group that it is not in.
    if (asRoot) fs.chownSync(directory, 0, 65_534)
    fs.chmodSync(directory, 0o2755)
    await host.files.write(path, 'after', { mode: 0o600 })
    expect(fs.statSync(path).gid).toBe(group)
  })

  it('has a file on the disk before it gets its name, and its name before the write has ended', async () => {
    const path = join(directory, 'settings')
    happened.length = 0
    await host.files.write(path, 'x', { mode: 0o600 })
    const temporary = `${path}.maestra-new`
    expect(happened).toEqual([`sync ${temporary}`, `rename ${temporary} ${path}`, `sync ${directory}`])
    happened.length = 0
    await host.files.rename(path, join(directory, 'renamed'))
    expect(happened).toEqual([`rename ${path} ${join(directory, 'renamed')}`, `sync ${directory}`])
  })

  it('syncs every file of a tree before the directory that names it', async () => {
    fs.mkdirSync(join(directory, 'tree', 'below'), { recursive: true })
    fs.writeFileSync(join(directory, 'tree', 'below', 'file'), 'x')
    happened.length = 0
    await new LocalHost({ sync: false }).files.syncTree(join(directory, 'tree'))
    const paths = ['tree/below/file', 'tree/below', 'tree'].map((each) => `sync ${join(directory, each)}`)
    expect(happened).toEqual(paths)
  })

  it('waits for no disk where it is told so', async () => {
    happened.length = 0
    const { files } = new LocalHost({ sync: false })
    await files.write(join(directory, 'settings'), 'x', { mode: 0o600 })
    await files.create(join(directory, 'created'), 'x', { mode: 0o600 })
    await files.syncDirectory(directory)
    expect(happened.filter((each) => each.startsWith('sync'))).toEqual([])
  })

  it('gives the modes that it is asked for, whatever the umask is', async () => {
    fs.mkdirSync(join(directory, 'from', 'below'), { recursive: true, mode: 0o755 })
    const before = process.umask(0o077)
    try {
      await host.files.makeDirectory(join(directory, 'a', 'b'), { mode: 0o711 })
      await host.files.write(join(directory, 'written'), 'x', { mode: 0o644 })
      await host.files.create(join(directory, 'created'), 'x', { mode: 0o644 })
      await host.files.copyTree(join(directory, 'from'), join(directory, 'copied'), {})
      await host.files.linkTree(join(directory, 'from'), join(directory, 'linked'))
    } finally {
      process.umask(before)
    }
    const names = ['a', 'a/b', 'written', 'created', 'copied', 'copied/below', 'linked', 'linked/below']
    const modes = names.map((name) => (fs.statSync(join(directory, name)).mode & 0o777).toString(8))
    expect(modes).toEqual(['755', '711', '644', '644', '755', '755', '755', '755'])
  })

  it('gives up on a directory below one that cannot be made, where making it says that something is missing', async () => {
    // So does /proc on Linux; elsewhere a file is in the way.
    const top = process.platform === 'linux' ? '/proc' : join(directory, 'file')
    if (process.platform !== 'linux') fs.writeFileSync(top, '')
    const made = host.files.makeDirectory(join(top, 'nope', 'below', 'it'), { mode: 0o700 })
    await expect(made).rejects.toThrow(/^cannot make the directory .*nope/)
  })

  it('replaces what a killed write left beside the file', async () => {
    const path = join(directory, 'settings')
    fs.writeFileSync(`${path}.maestra-new`, 'half of')
    await host.files.write(path, 'whole', { mode: 0o600 })
    expect(fs.readdirSync(directory)).toEqual(['settings'])
    expect(fs.readFileSync(path, 'utf8')).toBe('whole')
  })

  it('says that it is not there when a program is missing, and that it may not when it cannot be run', async () => {
    const plain = join(directory, 'plain')
    fs.writeFileSync(plain, '#!/bin/sh\n', { mode: 0o644 })
    await expect(host.processes.run(join(directory, 'missing'), [], {})).rejects.toMatchObject({
      code: 'command-failed',
      message: `cannot run ${join(directory, 'missing')}: it is not there`,
    })
    await expect(host.processes.run(plain, [], {})).rejects.toMatchObject({
      code: 'command-failed',
      message: `cannot run ${plain}: permission denied`,
    })
  })

  it('gives a program none of the variables of its own environment but the path', async () => {
    process.env['PGPASSWORD'] = 'of-the-user'
    try {
      const { stdout } = await host.processes.run('env', [], { env: { EXTRA: 'yes' } })
      const names = stdout.split('\n').flatMap((line) => (line === '' ? [] : [line.split('=')[0]]))
      expect(names.filter((name) => name !== 'TZ').sort()).toEqual(['EXTRA', 'LC_ALL', 'PATH'])
    } finally {
      delete process.env['PGPASSWORD']
    }
  })
})
