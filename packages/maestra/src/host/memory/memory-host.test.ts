import { describe, expect, it } from 'vitest'
import { hostConformance } from '../host.conformance.js'
import type { Account } from '../host.js'
import { inMemory } from '../hosts.fixture.js'
import { MemoryHost, root } from './memory-host.fixture.js'

const plain: Account = { name: 'plain', uid: 1000, gid: 1000 }

// A host on a machine is under test as one account only, the one that runs the tests. This one is each in turn.
for (const self of [root, plain]) {
  hostConformance(`MemoryHost of the account ${self.name}`, () => inMemory(new MemoryHost({ self })))
}

describe('MemoryHost', () => {
  it('does not rename from one file system to another, nor a mount point', async () => {
    const host = new MemoryHost()
    await host.files.makeDirectory('/data/mounted', { mode: 0o755 })
    host.tree.mount('/data/mounted', root)
    await host.files.write('/data/file', 'x', { mode: 0o600 })
    await host.files.write('/data/mounted/inside', 'x', { mode: 0o600 })
    const [folder, mounted, inside] = await Promise.all(
      ['/data', '/data/mounted', '/data/mounted/inside'].map((path) => host.files.stat(path)),
    )
    expect(mounted?.device).not.toBe(folder?.device)
    expect(inside?.device).toBe(mounted?.device)
    await expect(host.files.rename('/data/file', '/data/mounted/file')).rejects.toThrow(
      'cannot rename /data/file to /data/mounted/file: source and target are on different file systems',
    )
    await expect(host.files.rename('/data/mounted', '/data/moved')).rejects.toThrow(
      'cannot rename /data/mounted to /data/moved: it is in use, for example as a mount point',
    )
  })

  it('has the addresses that it is given, beside those of the loopback', async () => {
    const host = new MemoryHost({ addresses: ['10.0.0.1'] })
    expect(await host.network.isOwnAddress('10.0.0.1')).toBe(true)
    expect(await host.network.isOwnAddress('10.0.0.2')).toBe(false)
  })
})
