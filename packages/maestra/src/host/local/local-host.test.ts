import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { hostConformance } from '../host.conformance.js'
import { LocalHost } from './local-host.js'

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
    return {
      host: new LocalHost({ sync }),
      directory,
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
