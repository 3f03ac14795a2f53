import { join } from 'node:path'
import { MaestraError } from '@maestra/client/base/error'
import { describe, expect, it } from 'vitest'
import type { HostBench } from './host-bench.fixture.js'

/** What every HostFiles promises of single files. */
export function filesConformance(bench: HostBench): void {
  const { host, at, isRoot, put, modeOf, owner } = bench

  describe('looking at files', () => {
    it('says what a path is, without following a link', async () => {
      await put(at('file'), 'four', 0o640)
      await host.files.makeDirectory(at('directory'), { mode: 0o750 })
      await host.files.symbolicLink(at('link'), 'file')
      await bench.outside.fifo(at('fifo'))
      const { uid, gid } = host.processes.self()
      expect(await host.files.stat(at('file'))).toMatchObject({ kind: 'file', mode: 0o640, size: 4, uid, gid })
      expect(await host.files.stat(at('directory'))).toMatchObject({ kind: 'directory', mode: 0o750 })
      expect(await host.files.stat(at('link'))).toMatchObject({ kind: 'link' })
      expect(await host.files.stat(at('fifo'))).toMatchObject({ kind: 'other' })
    })

    it('tells two files apart by their inodes, and not two names of one', async () => {
      await put(at('one'))
      await put(at('two'))
      await bench.outside.hardLink(at('one'), at('same'))
      const inodes = await Promise.all(
        ['one', 'two', 'same'].map(async (each) => (await host.files.stat(at(each)))?.inode),
      )
      expect(inodes[0]).toBe(inodes[2])
      expect(inodes[0]).not.toBe(inodes[1])
    })

    it('answers undefined for what is not there', async () => {
      const absent = at('absent')
      expect(await host.files.stat(absent)).toBeUndefined()
      expect(await host.files.realPath(absent)).toBeUndefined()
      expect(await host.files.list(absent)).toBeUndefined()
      expect(await host.files.readText(absent)).toBeUndefined()
      expect(await host.files.readBytes(absent)).toBeUndefined()
      expect(await host.files.stat(join(absent, 'below'))).toBeUndefined()
    })

    it('throws when the answer cannot be known', async () => {
      await host.files.makeDirectory(at('closed'), { mode: 0o700 })
      await put(at('closed', 'file'), 'inside')
      await bench.outside.chmod(at('closed'), 0o000)
      const answers = [
        host.files.stat(at('closed', 'file')),
        host.files.list(at('closed')),
        host.files.readText(at('closed', 'file')),
      ]
      // Root enters every folder.
      if (isRoot()) expect(await Promise.all(answers)).toMatchObject([{ kind: 'file' }, ['file'], 'inside'])
      else for (const answer of answers) await expect(answer).rejects.toMatchObject({ code: 'no-permission' })
      await Promise.allSettled(answers)
      await bench.outside.chmod(at('closed'), 0o700)
    })

    it('says in one line what it could not do, with which path and why', async () => {
      await host.files.makeDirectory(at('directory'), { mode: 0o700 })
      await put(at('directory', 'inside'))
      await put(at('file'))
      const said: readonly (readonly [act: () => Promise<unknown>, message: RegExp | string])[] = [
        [
          () => host.files.readText(at('directory')),
          /^cannot read .*\/directory: EISDIR: illegal operation on a directory/,
        ],
        [() => host.files.list(at('file')), `cannot list ${at('file')}: a part of the path is not a directory`],
        [
          () => host.files.stat(at('file', 'x')),
          `cannot look at ${at('file', 'x')}: a part of the path is not a directory`,
        ],
        [() => put(at('absent', 'x')), /^cannot write .*\/absent\/x: ENOENT: no such file or directory/],
        [
          () => host.files.makeDirectory(at('file'), { mode: 0o700 }),
          /^cannot make the directory .*\/file: EEXIST: file already exists/,
        ],
        [
          () => host.files.rename(at('absent'), at('x')),
          /^cannot rename .*\/absent to .*\/x: ENOENT: no such file or directory/,
        ],
        [
          () => host.files.linkTree(at('absent'), at('x')),
          /^cannot copy .*\/absent to .*\/x: ENOENT: no such file or directory/,
        ],
      ]
      for (const [act, message] of said) {
        const error = await act().catch((thrown: unknown) => thrown)
        expect(error).toMatchObject({ code: 'file-system-failed' })
        expect(() => {
          throw error
        }).toThrow(message)
      }
    })

    it('says of what it may not do how to look at the permissions', async () => {
      await host.files.makeDirectory(at('closed'), { mode: 0o700 })
      await put(at('closed', 'file'))
      await bench.outside.chmod(at('closed'), 0o500)
      const writing = put(at('closed', 'new'))
      // Root may write everywhere.
      if (isRoot()) await writing
      else {
        await expect(writing).rejects.toMatchObject({
          code: 'no-permission',
          message: `cannot write ${at('closed', 'new')}: permission denied`,
          hint: `run as an account that may, or look at its permissions: ls -ld ${at('closed', 'new')}`,
        })
      }
      await bench.outside.chmod(at('closed'), 0o700)
    })

    it('lists names in order', async () => {
      for (const each of ['b', 'a', '10', '9']) await put(at(each))
      expect(await host.files.list(at())).toEqual(['10', '9', 'a', 'b'])
    })

    it('reads the bytes that were written', async () => {
      const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)
      await put(at('bytes'), bytes)
      await put(at('text'), 'naïve ✓')
      expect(await host.files.readBytes(at('bytes'))).toEqual(Buffer.from(bytes))
      expect(await host.files.readText(at('text'))).toBe('naïve ✓')
    })

    it('reads a part of a file, and what there is of one that ends before', async () => {
      await put(at('long'), 'abcdefgh')
      const parts = [host.files.readBytes(at('long'), 3), host.files.readBytes(at('long'), 3, 4)]
      const beyond = [host.files.readBytes(at('long'), 3, 7), host.files.readBytes(at('long'), 3, 20)]
      const read = (await Promise.all([...parts, ...beyond])).map((each) => each?.toString())
      expect(read).toEqual(['abc', 'efg', 'h', ''])
    })

    it('follows every link on the way to a real path', async () => {
      await host.files.makeDirectory(at('real'), { mode: 0o755 })
      await put(at('real', 'file'))
      await host.files.symbolicLink(at('link'), 'real')
      expect(await host.files.realPath(at('link', 'file'))).toBe(
        join((await host.files.realPath(at())) ?? '', 'real', 'file'),
      )
    })
  })

  describe('writing a file', () => {
    it('gives a new one its mode and its owner', async () => {
      const account = await owner()
      await host.files.write(at('file'), 'new', { mode: 0o640, owner: account })
      expect(await host.files.stat(at('file'))).toMatchObject({ mode: 0o640, uid: account.uid, gid: account.gid })
      expect(await host.files.readText(at('file'))).toBe('new')
    })

    it('keeps owner and mode of an existing one', async () => {
      const account = await owner()
      await host.files.write(at('file'), 'before', { mode: 0o604, owner: account })
      await host.files.write(at('file'), 'after', { mode: 0o600, owner: host.processes.self() })
      expect(await host.files.stat(at('file'))).toMatchObject({ mode: 0o604, uid: account.uid, gid: account.gid })
      expect(await host.files.readText(at('file'))).toBe('after')
    })

    it('replaces the file as a whole: who has it open reads on in the old one', async () => {
      await put(at('file'), 'before')
      const before = await host.files.stat(at('file'))
      await bench.outside.hardLink(at('file'), at('opened'))
      await put(at('file'), 'after')
      expect((await host.files.stat(at('file')))?.inode).not.toBe(before?.inode)
      expect(await host.files.readText(at('opened'))).toBe('before')
    })

    it('leaves nothing beside it', async () => {
      await put(at('file'), 'before')
      await put(at('file'), 'after')
      await host.files.create(at('created'), 'x', { mode: 0o600 })
      await host.files.create(at('created'), 'y', { mode: 0o600 })
      expect(await host.files.list(at())).toEqual(['created', 'file'])
    })

    it('writes through a link to the file that it stands for', async () => {
      await host.files.makeDirectory(at('elsewhere'), { mode: 0o755 })
      await put(at('elsewhere', 'file'), 'before', 0o640)
      await host.files.symbolicLink(at('link'), 'elsewhere/file')
      await put(at('link'), 'after')
      expect((await host.files.stat(at('link')))?.kind).toBe('link')
      expect(await host.files.readText(at('elsewhere', 'file'))).toBe('after')
      expect(await modeOf(at('elsewhere', 'file'))).toBe('640')
      expect(await host.files.list(at())).toEqual(['elsewhere', 'link'])
      expect(await host.files.list(at('elsewhere'))).toEqual(['file'])
    })

    it('does not follow a link that another account made, by which it could have us write any file', async () => {
      await put(at('victim'), 'ours')
      await host.files.symbolicLink(at('link'), at('victim'))
      if (!isRoot()) {
        // Only root can make a link that is another's; the account's own is followed.
        await put(at('link'), 'new')
        expect(await host.files.readText(at('victim'))).toBe('new')
        return
      }
      await bench.outside.chown(at('link'), await owner())
      await expect(put(at('link'), 'theirs')).rejects.toThrow('it is a link that another account made')
      expect(await host.files.readText(at('victim'))).toBe('ours')
      await expect(bench.daemon('exit', ['0'], { logFile: at('link') })).rejects.toThrow('cannot open the log file')
    })

    it('refuses a link to nothing, and keeps it', async () => {
      await host.files.symbolicLink(at('link'), 'nothing')
      await expect(put(at('link'), 'x')).rejects.toMatchObject({ code: 'file-system-failed' })
      expect(await host.files.list(at())).toEqual(['link'])
    })

    it('changes nothing when it fails', async () => {
      await host.files.makeDirectory(at('directory'), { mode: 0o755 })
      await put(at('directory', 'inside'), 'kept')
      await expect(put(at('directory'), 'x')).rejects.toMatchObject({ code: 'file-system-failed' })
      await expect(put(at('absent', 'file'), 'x')).rejects.toMatchObject({ code: 'file-system-failed' })
      await expect(host.files.create(at('absent', 'file'), 'x', { mode: 0o600 })).rejects.toBeInstanceOf(MaestraError)
      expect(await host.files.list(at())).toEqual(['directory'])
      expect(await host.files.readText(at('directory', 'inside'))).toBe('kept')
    })

    it('patches bytes where they stand', async () => {
      await put(at('file'), 'one two three')
      const before = await host.files.stat(at('file'))
      await host.files.patch(at('file'), 4, Buffer.from('TWO'))
      expect(await host.files.readText(at('file'))).toBe('one TWO three')
      expect((await host.files.stat(at('file')))?.inode).toBe(before?.inode)
      await expect(host.files.patch(at('absent'), 0, Buffer.from('x'))).rejects.toBeInstanceOf(MaestraError)
      expect(await host.files.stat(at('absent'))).toBeUndefined()
    })
  })

  describe('creating a file', () => {
    it('lets one of twenty at the same moment have it', async () => {
      const contents = Array.from({ length: 20 }, (_, index) => `${index}`.repeat(10_000))
      const created = await Promise.all(
        contents.map((content) => host.files.create(at('file'), content, { mode: 0o600 })),
      )
      expect(created.filter(Boolean)).toHaveLength(1)
      expect(await host.files.readText(at('file'))).toBe(contents[created.indexOf(true)])
      expect(await host.files.list(at())).toEqual(['file'])
    })

    it('gives it its mode and its owner', async () => {
      const account = await owner()
      expect(await host.files.create(at('file'), 'x', { mode: 0o644, owner: account })).toBe(true)
      expect(await host.files.stat(at('file'))).toMatchObject({ mode: 0o644, uid: account.uid, gid: account.gid })
    })

    it('leaves an existing one as it is', async () => {
      await put(at('file'), 'before', 0o640)
      const before = await host.files.stat(at('file'))
      expect(await host.files.create(at('file'), 'other', { mode: 0o600 })).toBe(false)
      expect(await host.files.stat(at('file'))).toEqual(before)
      expect(await host.files.readText(at('file'))).toBe('before')
    })

    it('does not create what a link to nothing stands for', async () => {
      await host.files.symbolicLink(at('link'), 'nothing')
      expect(await host.files.create(at('link'), 'x', { mode: 0o600 })).toBe(false)
      expect(await host.files.list(at())).toEqual(['link'])
    })
  })
}
