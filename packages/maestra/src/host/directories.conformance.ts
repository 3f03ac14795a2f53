import { join } from 'node:path'
import { MaestraError } from '@maestra/client/base/error'
import { describe, expect, it } from 'vitest'
import type { Account } from './host.js'
import type { HostBench } from './host-bench.fixture.js'

/** What every HostFiles promises of directories, and of all that is in them. */
export function directoriesConformance(bench: HostBench): void {
  const { host, at, put, modeOf, owner } = bench

  describe('directories', () => {
    it('makes missing parents with mode 0755, and all of them the property of the owner', async () => {
      const account = await owner()
      await host.files.makeDirectory(at('a', 'b', 'c'), { mode: 0o700, owner: account })
      expect(await Promise.all([at('a'), at('a', 'b'), at('a', 'b', 'c')].map(modeOf))).toEqual(['755', '755', '700'])
      for (const each of [at('a'), at('a', 'b', 'c')]) {
        expect(await host.files.stat(each)).toMatchObject({ uid: account.uid, gid: account.gid })
      }
    })

    it('leaves an existing directory as it is', async () => {
      await host.files.makeDirectory(at('a'), { mode: 0o711 })
      await put(at('a', 'file'), 'kept')
      await host.files.makeDirectory(at('a'), { mode: 0o700, owner: await owner() })
      expect(await modeOf(at('a'))).toBe('711')
      expect((await host.files.stat(at('a')))?.uid).toBe(host.processes.self().uid)
      expect(await host.files.readText(at('a', 'file'))).toBe('kept')
    })

    it('is made by twenty at the same moment', async () => {
      await Promise.all(Array.from({ length: 20 }, () => host.files.makeDirectory(at('a', 'b'), { mode: 0o700 })))
      expect(await Promise.all([at('a'), at('a', 'b')].map(modeOf))).toEqual(['755', '700'])
    })

    it('refuses to make one where a file or a link to nothing is', async () => {
      await put(at('file'), 'kept')
      await host.files.symbolicLink(at('link'), 'nothing')
      for (const path of [at('file'), at('link'), at('link', 'below')]) {
        await expect(host.files.makeDirectory(path, { mode: 0o700 })).rejects.toMatchObject({
          code: 'file-system-failed',
        })
      }
      expect(await host.files.readText(at('file'))).toBe('kept')
    })

    it('renames onto a file, onto an empty directory and onto nothing', async () => {
      await put(at('file'), 'new')
      await put(at('old'), 'old')
      await host.files.rename(at('file'), at('old'))
      expect(await host.files.readText(at('old'))).toBe('new')
      await host.files.makeDirectory(at('from'), { mode: 0o700 })
      await put(at('from', 'inside'), 'x')
      await host.files.makeDirectory(at('empty'), { mode: 0o755 })
      await host.files.rename(at('from'), at('empty'))
      expect(await host.files.readText(at('empty', 'inside'))).toBe('x')
      await host.files.rename(at('empty'), at('moved'))
      expect(await host.files.list(at())).toEqual(['moved', 'old'])
    })

    it('does not rename onto a directory that holds something', async () => {
      for (const each of ['from', 'to']) {
        await host.files.makeDirectory(at(each), { mode: 0o700 })
        await put(at(each, each), each)
      }
      await expect(host.files.rename(at('from'), at('to'))).rejects.toMatchObject({ code: 'file-system-failed' })
      expect(await host.files.list(at('from'))).toEqual(['from'])
      expect(await host.files.list(at('to'))).toEqual(['to'])
    })

    it('removes a file, and a tree without what its links stand for; nothing there is fine', async () => {
      await put(at('file'), 'x')
      await put(at('kept'), 'kept')
      await host.files.makeDirectory(at('tree', 'below'), { mode: 0o700 })
      await put(at('tree', 'below', 'file'))
      await host.files.symbolicLink(at('tree', 'link'), at('kept'))
      await host.files.symbolicLink(at('tree', 'parent'), at())
      for (const again of [1, 2]) {
        await host.files.removeFile(at('file'))
        await host.files.removeTree(at('tree'))
        expect(await host.files.list(at()), `time ${again}`).toEqual(['kept'])
      }
    })

    it('replaces a link by another', async () => {
      await host.files.symbolicLink(at('link'), 'one')
      await host.files.symbolicLink(at('link'), 'two')
      expect(await bench.outside.readLink(at('link'))).toBe('two')
    })

    it('syncs a directory and a tree with links and what cannot be opened for reading', async () => {
      await host.files.makeDirectory(at('tree', 'below'), { mode: 0o700 })
      await put(at('tree', 'below', 'file'), 'x')
      await host.files.symbolicLink(at('tree', 'link'), 'nothing')
      await bench.outside.fifo(at('tree', 'fifo'))
      await host.files.syncDirectory(at('tree'))
      await host.files.syncTree(at('tree'))
      await expect(host.files.syncTree(at('absent'))).rejects.toBeInstanceOf(MaestraError)
    })
  })

  describe('whole trees', () => {
    /** A tree with what matters: several modes, an empty directory, a link, names that need care. */
    const makeTree = async (): Promise<void> => {
      await host.files.makeDirectory(at('from', 'open', 'empty'), { mode: 0o700 })
      await put(at('from', 'open', 'program'), '#!/bin/sh\n', 0o755)
      await put(at('from', 'secret'), Buffer.from([0, 255, 10, 13]), 0o600)
      await put(at('from', 'with space'), '', 0o444)
      await host.files.symbolicLink(at('from', 'link'), 'open/program')
      await host.files.symbolicLink(at('from', 'folder-link'), 'open')
      await bench.outside.chmod(at('from'), 0o750)
      await bench.outside.chmod(at('from', 'open'), 0o711)
    }

    const expectCopy = async (to: string): Promise<void> => {
      expect(await host.files.list(to)).toEqual(['folder-link', 'link', 'open', 'secret', 'with space'])
      expect(await host.files.list(join(to, 'open'))).toEqual(['empty', 'program'])
      expect(await host.files.readText(join(to, 'open', 'program'))).toBe('#!/bin/sh\n')
      expect(await host.files.readBytes(join(to, 'secret'))).toEqual(Buffer.from([0, 255, 10, 13]))
      const modes = ['', 'open', 'open/empty', 'open/program', 'secret', 'with space'].map((each) =>
        modeOf(join(to, each)),
      )
      expect(await Promise.all(modes)).toEqual(['750', '711', '700', '755', '600', '444'])
      const links = ['link', 'folder-link'].map((each) => bench.outside.readLink(join(to, each)))
      expect(await Promise.all(links)).toEqual(['open/program', 'open'])
    }

    it('copies content, modes and links', async () => {
      await makeTree()
      await host.files.copyTree(at('from'), at('to'), {})
      await expectCopy(at('to'))
      await host.files.patch(at('to', 'open', 'program'), 0, Buffer.from('##'))
      expect(await host.files.readText(at('from', 'open', 'program'))).toBe('#!/bin/sh\n')
    })

    it('makes the copy the property of the owner', async () => {
      const account = await owner()
      await makeTree()
      await host.files.copyTree(at('from'), at('to'), { owner: account })
      for (const each of ['', 'open', 'open/empty', 'open/program', 'secret', 'link']) {
        expect(await host.files.stat(join(at('to'), each)), each).toMatchObject({
          uid: account.uid,
          gid: account.gid,
        })
      }
    })

    it('copies into a directory that is there, and leaves the directory itself as it is', async () => {
      await makeTree()
      await host.files.makeDirectory(at('to'), { mode: 0o700 })
      await put(at('to', 'mine'), 'kept')
      await host.files.copyTree(at('from'), at('to'), {})
      expect(await modeOf(at('to'))).toBe('700')
      expect(await host.files.list(at('to'))).toEqual(['folder-link', 'link', 'mine', 'open', 'secret', 'with space'])
    })

    it('does not write over a file, and writes nothing more once the copy has failed', async () => {
      const names = Array.from({ length: 60 }, (_, index) => `file${index + 10}`)
      await host.files.makeDirectory(at('from'), { mode: 0o700 })
      await host.files.makeDirectory(at('to'), { mode: 0o700 })
      for (const each of names) await put(at('from', each), Buffer.alloc(100_000))
      await put(at('to', 'file10'), 'kept')
      // Takes many operations one after the other, so that it is far from its end when the first file fails.
      await host.files.makeDirectory(at('from', 'a', 'b', 'c', 'd', 'e', 'f'), { mode: 0o700 })
      await put(at('from', 'a', 'b', 'c', 'd', 'e', 'f', 'last'), 'x')
      await expect(host.files.copyTree(at('from'), at('to'), {})).rejects.toMatchObject({
        code: 'file-system-failed',
      })
      // Whoever gets the error removes the target: all that was begun has ended by then.
      expect(await host.files.readText(at('to', 'a', 'b', 'c', 'd', 'e', 'f', 'last'))).toBe('x')
      expect(await host.files.list(at('to'))).toEqual(['a', ...names])
      expect(await host.files.readText(at('to', 'file10'))).toBe('kept')
    })

    it('links files instead of copying them, and keeps modes', async () => {
      await makeTree()
      await host.files.linkTree(at('from'), at('to'))
      await expectCopy(at('to'))
      const inodes = [at('from', 'secret'), at('to', 'secret')].map(
        async (each) => (await host.files.stat(each))?.inode,
      )
      expect(await inodes[0]).toBe(await inodes[1])
    })

    it('does not link into a directory that is there', async () => {
      await makeTree()
      await host.files.makeDirectory(at('to'), { mode: 0o700 })
      await expect(host.files.linkTree(at('from'), at('to'))).rejects.toMatchObject({ code: 'file-system-failed' })
      expect(await host.files.list(at('to'))).toEqual([])
    })

    it('keeps what a stream names inside the directory, and writes nothing after it named something else', async () => {
      await host.files.makeDirectory(at('to'), { mode: 0o700 })
      const outside: readonly (readonly [path: string, reason: string])[] = [
        ['/etc/x', 'the path is absolute'],
        ['../x', 'the path leads upwards'],
        ['a/../../x', 'the path leads upwards'],
        ['.', 'the path names nothing'],
        ['absent/x', 'absent is not one of the directories made before'],
        ['link/x', 'link is not one of the directories made before'],
      ]
      await host.files.symbolicLink(at('to', 'link'), at())
      for (const [path, reason] of outside) {
        const writer = host.files.fillTree(at('to'), { sync: true })
        expect(() => writer.beginFile(path, 0o600), path).toThrow(
          `${JSON.stringify(path)} is not written to ${at('to')}: ${reason}`,
        )
        expect(() => writer.directory('later', 0o700)).toThrow(reason)
        await expect(writer.finish()).rejects.toThrow(reason)
      }
      expect(await host.files.list(at())).toEqual(['to'])
      expect(await host.files.list(at('to'))).toEqual(['link'])
    })

    it('does not end a stream in the middle of a file, nor write over what is there', async () => {
      await host.files.makeDirectory(at('to'), { mode: 0o700 })
      await put(at('to', 'there'), 'kept')
      const over = host.files.fillTree(at('to'), { sync: true })
      over.beginFile('there', 0o600)
      over.append(Buffer.from('new'))
      expect(() => over.endFile()).toThrow(`cannot write ${at('to', 'there')}: `)
      expect(await host.files.readText(at('to', 'there'))).toBe('kept')
      const half = host.files.fillTree(at('to'), { sync: true })
      half.beginFile('half', 0o600)
      half.append(Buffer.from('ha'))
      await expect(half.finish()).rejects.toThrow('it was not ended')
      const given = host.files.fillTree(at('to'), { sync: true })
      await given.abandon()
      expect(() => given.beginFile('late', 0o600)).toThrow(`the writing of ${at('to')} was given up`)
    })

    it('tells how much of a stream is not written yet', async () => {
      await host.files.makeDirectory(at('to'), { mode: 0o700 })
      const writer = host.files.fillTree(at('to'), { sync: true })
      writer.beginFile('file', 0o600)
      writer.append(Buffer.alloc(1000))
      expect(writer.pendingBytes).toBe(1000)
      await writer.drainedTo(0)
      expect(writer.pendingBytes).toBe(0)
      writer.endFile()
      await writer.finish()
      expect((await host.files.stat(at('to', 'file')))?.size).toBe(1000)
    })

    it('fills a directory from a stream', async () => {
      const account = await owner()
      await host.files.makeDirectory(at('to'), { mode: 0o700, owner: account })
      const writer = host.files.fillTree(at('to'), { owner: account, sync: true })
      writer.directory('below', 0o700)
      writer.beginFile('below/file', 0o600)
      writer.append(Buffer.from('one '))
      writer.append(Buffer.from('two'))
      writer.endFile()
      writer.symbolicLink('link', 'below')
      await writer.finish()
      expect(await host.files.readText(at('to', 'below', 'file'))).toBe('one two')
      expect(await host.files.stat(at('to', 'below', 'file'))).toMatchObject({ mode: 0o600, uid: account.uid })
      expect(await host.files.stat(at('to', 'link'))).toMatchObject({ kind: 'link' })
    })
  })

  describe('the first closed folder', () => {
    const stranger: Account = { name: 'stranger', uid: 54_321, gid: 54_321 }

    it('is the outermost that the account cannot enter, and none for its owner and for root', async () => {
      await host.files.makeDirectory(at('open', 'closed'), { mode: 0o700 })
      await host.files.makeDirectory(at('open', 'closed', 'inner'), { mode: 0o700 })
      const path = at('open', 'closed', 'inner', 'file')
      const { uid, gid } = host.processes.self()
      expect(await host.files.firstClosedFolder(path, stranger)).toBe(at('open', 'closed'))
      expect(await host.files.firstClosedFolder(path, { name: 'self', uid, gid })).toBeUndefined()
      expect(await host.files.firstClosedFolder(path, { name: 'root', uid: 0, gid: 0 })).toBeUndefined()
    })

    it('goes by the bits of the group for the group, and by those of the owner for the owner', async () => {
      await host.files.makeDirectory(at('group'), { mode: 0o710 })
      await host.files.makeDirectory(at('others'), { mode: 0o701 })
      const ofGroup = { ...stranger, gid: host.processes.self().gid }
      expect(await host.files.firstClosedFolder(at('group', 'file'), ofGroup)).toBeUndefined()
      expect(await host.files.firstClosedFolder(at('group', 'file'), stranger)).toBe(at('group'))
      expect(await host.files.firstClosedFolder(at('others', 'file'), ofGroup)).toBe(at('others'))
      expect(await host.files.firstClosedFolder(at('others', 'file'), stranger)).toBeUndefined()
    })

    it('is also one that the path leads through behind a link', async () => {
      await host.files.makeDirectory(at('closed'), { mode: 0o700 })
      await host.files.makeDirectory(at('closed', 'data'), { mode: 0o755 })
      await host.files.symbolicLink(at('link'), 'closed/data')
      const closed = (await host.files.realPath(at('closed'))) ?? ''
      expect(await host.files.firstClosedFolder(at('link', 'file'), stranger)).toBe(closed)
    })

    it('is not looked for below a folder that is not there, nor in the path itself', async () => {
      expect(await host.files.firstClosedFolder(at('absent', 'below', 'file'), stranger)).toBeUndefined()
      await host.files.makeDirectory(at('last'), { mode: 0o700 })
      expect(await host.files.firstClosedFolder(at('last'), stranger)).toBeUndefined()
    })
  })
}
