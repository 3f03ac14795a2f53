import { join } from 'node:path'
import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import { MaestraError } from '@maestra/client/base/error'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Account, Daemon, Host } from './host.js'

/** A host and an empty directory of it that every account can enter; `dispose` removes the directory. */
export type HostUnderTest = {
  readonly host: Host
  readonly directory: string
  readonly dispose: () => Promise<void>
}

/** What every Host promises. Files are arranged and looked at through the host itself, so that it may be another machine. */
export function hostConformance(name: string, make: () => Promise<HostUnderTest>): void {
  describe(`${name} as a host`, () => {
    let made: HostUnderTest
    let host: Host
    const daemons: Daemon[] = []

    beforeEach(async () => {
      made = await make()
      host = made.host
    })

    afterEach(async () => {
      for (const daemon of daemons.splice(0)) {
        if (daemon.exit() === undefined) host.processes.signal(daemon.pid, 'SIGKILL')
        await exitOf(daemon)
      }
      await made.dispose()
    })

    const at = (...names: readonly string[]): string => join(made.directory, ...names)
    const isRoot = (): boolean => host.processes.self().uid === 0

    /** Runs a script of the shell with $1, $2, ... */
    const shell = async (script: string, ...args: readonly string[]): Promise<string> => {
      const { exitCode, stdout, stderr } = await host.processes.run('/bin/sh', ['-c', script, 'sh', ...args], {})
      if (exitCode !== 0) throw new Error(`${script}: ${stderr}`)
      return stdout
    }

    const daemon = async (script: string, ...args: readonly string[]): Promise<Daemon> => {
      const started = await host.processes.startDaemon('/bin/sh', ['-c', script, 'sh', ...args], { logFile: at('log') })
      daemons.push(started)
      return started
    }

    const put = (path: string, content: string | Uint8Array = '', mode = 0o600): Promise<void> =>
      host.files.write(path, content, { mode })

    const modeOf = async (path: string): Promise<string | undefined> => (await host.files.stat(path))?.mode.toString(8)

    /** An account that is not the one of the host where that is root, which alone may give files away; else its own. */
    const owner = async (): Promise<Account> => {
      const self = host.processes.self()
      const found = self.uid === 0 ? await host.processes.account('nobody') : self
      if (found === undefined) throw new Error('the host has no account nobody')
      return found
    }

    describe('looking at files', () => {
      it('says what a path is, without following a link', async () => {
        await put(at('file'), 'four', 0o640)
        await host.files.makeDirectory(at('directory'), { mode: 0o750 })
        await host.files.symbolicLink(at('link'), 'file')
        await shell('mkfifo "$1"', at('fifo'))
        const { uid, gid } = host.processes.self()
        expect(await host.files.stat(at('file'))).toMatchObject({ kind: 'file', mode: 0o640, size: 4, uid, gid })
        expect(await host.files.stat(at('directory'))).toMatchObject({ kind: 'directory', mode: 0o750 })
        expect(await host.files.stat(at('link'))).toMatchObject({ kind: 'link' })
        expect(await host.files.stat(at('fifo'))).toMatchObject({ kind: 'other' })
      })

      it('tells two files apart by their inodes, and not two names of one', async () => {
        await put(at('one'))
        await put(at('two'))
        await shell('ln "$1" "$2"', at('one'), at('same'))
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
        await shell('chmod 000 "$1"', at('closed'))
        const answers = [
          host.files.stat(at('closed', 'file')),
          host.files.list(at('closed')),
          host.files.readText(at('closed', 'file')),
        ]
        // Root enters every folder.
        if (isRoot()) expect(await Promise.all(answers)).toMatchObject([{ kind: 'file' }, ['file'], 'inside'])
        else for (const answer of answers) await expect(answer).rejects.toMatchObject({ code: 'no-permission' })
        await Promise.allSettled(answers)
        await shell('chmod 700 "$1"', at('closed'))
      })

      it('lists names in order', async () => {
        for (const each of ['b', 'a', '10', '9']) await put(at(each))
        expect(await host.files.list(made.directory)).toEqual(['10', '9', 'a', 'b'])
      })

      it('reads the bytes that were written', async () => {
        const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)
        await put(at('bytes'), bytes)
        await put(at('text'), 'naïve ✓')
        expect(await host.files.readBytes(at('bytes'))).toEqual(Buffer.from(bytes))
        expect(await host.files.readText(at('text'))).toBe('naïve ✓')
      })

      it('follows every link on the way to a real path', async () => {
        await host.files.makeDirectory(at('real'), { mode: 0o755 })
        await put(at('real', 'file'))
        await host.files.symbolicLink(at('link'), 'real')
        expect(await host.files.realPath(at('link', 'file'))).toBe(
          join((await host.files.realPath(made.directory)) ?? '', 'real', 'file'),
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
        await shell('ln "$1" "$2"', at('file'), at('opened'))
        await put(at('file'), 'after')
        expect((await host.files.stat(at('file')))?.inode).not.toBe(before?.inode)
        expect(await host.files.readText(at('opened'))).toBe('before')
      })

      it('leaves nothing beside it', async () => {
        await put(at('file'), 'before')
        await put(at('file'), 'after')
        await host.files.create(at('created'), 'x', { mode: 0o600 })
        await host.files.create(at('created'), 'y', { mode: 0o600 })
        expect(await host.files.list(made.directory)).toEqual(['created', 'file'])
      })

      it('writes through a link to the file that it stands for', async () => {
        await host.files.makeDirectory(at('elsewhere'), { mode: 0o755 })
        await put(at('elsewhere', 'file'), 'before', 0o640)
        await host.files.symbolicLink(at('link'), 'elsewhere/file')
        await put(at('link'), 'after')
        expect((await host.files.stat(at('link')))?.kind).toBe('link')
        expect(await host.files.readText(at('elsewhere', 'file'))).toBe('after')
        expect(await modeOf(at('elsewhere', 'file'))).toBe('640')
        expect(await host.files.list(made.directory)).toEqual(['elsewhere', 'link'])
        expect(await host.files.list(at('elsewhere'))).toEqual(['file'])
      })

      it('refuses a link to nothing, and keeps it', async () => {
        await host.files.symbolicLink(at('link'), 'nothing')
        await expect(put(at('link'), 'x')).rejects.toMatchObject({ code: 'file-system-failed' })
        expect(await host.files.list(made.directory)).toEqual(['link'])
      })

      it('changes nothing when it fails', async () => {
        await host.files.makeDirectory(at('directory'), { mode: 0o755 })
        await put(at('directory', 'inside'), 'kept')
        await expect(put(at('directory'), 'x')).rejects.toMatchObject({ code: 'file-system-failed' })
        await expect(put(at('absent', 'file'), 'x')).rejects.toMatchObject({ code: 'file-system-failed' })
        await expect(host.files.create(at('absent', 'file'), 'x', { mode: 0o600 })).rejects.toBeInstanceOf(MaestraError)
        expect(await host.files.list(made.directory)).toEqual(['directory'])
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
        expect(await host.files.list(made.directory)).toEqual(['file'])
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
        expect(await host.files.list(made.directory)).toEqual(['link'])
      })
    })

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
        expect(await host.files.list(made.directory)).toEqual(['moved', 'old'])
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
        await host.files.symbolicLink(at('tree', 'parent'), made.directory)
        for (const again of [1, 2]) {
          await host.files.removeFile(at('file'))
          await host.files.removeTree(at('tree'))
          expect(await host.files.list(made.directory), `time ${again}`).toEqual(['kept'])
        }
      })

      it('replaces a link by another', async () => {
        await host.files.symbolicLink(at('link'), 'one')
        await host.files.symbolicLink(at('link'), 'two')
        expect(await shell('readlink "$1"', at('link'))).toBe('two\n')
      })

      it('syncs a directory and a tree with links and what cannot be opened for reading', async () => {
        await host.files.makeDirectory(at('tree', 'below'), { mode: 0o700 })
        await put(at('tree', 'below', 'file'), 'x')
        await host.files.symbolicLink(at('tree', 'link'), 'nothing')
        await shell('mkfifo "$1"', at('tree', 'fifo'))
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
        await shell('chmod 750 "$1"', at('from'))
        await shell('chmod 711 "$1"', at('from', 'open'))
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
        expect(await shell('readlink "$1" "$2"', join(to, 'link'), join(to, 'folder-link'))).toBe(
          'open/program\nopen\n',
        )
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

      it('fills a directory from a stream', async () => {
        const account = await owner()
        await host.files.makeDirectory(at('to'), { mode: 0o700, owner: account })
        const writer = host.files.fillTree(at('to'), { owner: account })
        writer.directory('below', 0o700)
        writer.beginFile('below/file', 0o600)
        writer.append(Buffer.from('one '))
        writer.append(Buffer.from('two'))
        writer.endFile()
        writer.symbolicLink('link', 'below')
        await writer.finish({ sync: true })
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

    describe('running a program', () => {
      it('gives its exit code and what it wrote', async () => {
        const result = await host.processes.run('/bin/sh', ['-c', 'echo out; echo err >&2; exit 3'], {})
        expect(result).toEqual({ exitCode: 3, stdout: 'out\n', stderr: 'err\n' })
      })

      it('gives it input, arguments as they are and variables', async () => {
        const script = 'cat; printf "%s" "$1"; printf "%s" "$GIVEN"'
        const result = await host.processes.run('/bin/sh', ['-c', script, 'sh', '$HOME; "x" \'y\''], {
          input: 'líne\n',
          env: { GIVEN: 'given' },
        })
        expect(result).toEqual({ exitCode: 0, stdout: 'líne\n$HOME; "x" \'y\'given', stderr: '' })
      })

      it('waits for a program that does not read its input', async () => {
        const result = await host.processes.run('/bin/sh', ['-c', 'exit 0'], { input: 'x'.repeat(1_000_000) })
        expect(result.exitCode).toBe(0)
      })

      it('says which signal ended it', async () => {
        const result = await host.processes.run('/bin/sh', ['-c', 'kill -KILL $$'], {})
        expect(result.exitCode).not.toBe(0)
        expect(result.stderr).toContain('ended by SIGKILL')
      })

      it('runs it under an account', async () => {
        const account = await owner()
        const { stdout } = await host.processes.run('/bin/sh', ['-c', 'id -u; id -g; id -G'], { account })
        const [uid, gid, groups] = stdout.split('\n')
        expect([uid, gid]).toEqual([`${account.uid}`, `${account.gid}`])
        // None of root's own groups may come along; who runs as oneself keeps one's groups.
        if (isRoot()) expect(groups).toBe(`${account.gid}`)
        else expect(groups?.split(' ')).toContain(`${account.gid}`)
      })

      it('throws when it cannot be run', async () => {
        await expect(host.processes.run(at('absent'), [], {})).rejects.toMatchObject({ code: 'command-failed' })
      })

      it('ends it when the signal is aborted, and rejects with its reason only when it is gone', async () => {
        const aborting = new AbortController()
        const reason = new Error('enough')
        const script = 'trap "sleep 0.1; echo > $2; exit 0" TERM; echo > $1; while :; do sleep 0.01; done'
        const running = host.processes.run('/bin/sh', ['-c', script, 'sh', at('begun'), at('ended')], {
          signal: aborting.signal,
        })
        await until(async () => (await host.files.stat(at('begun'))) !== undefined, 'the program to begin')
        aborting.abort(reason)
        await expect(running).rejects.toBe(reason)
        expect(await host.files.stat(at('ended'))).toBeDefined()
      })

      it('runs nothing when the signal is aborted already', async () => {
        const reason = new Error('enough')
        const running = host.processes.run('/bin/sh', ['-c', 'echo > "$1"', 'sh', at('begun')], {
          signal: AbortSignal.abort(reason),
        })
        await expect(running).rejects.toBe(reason)
        expect(await host.files.list(made.directory)).toEqual([])
      })
    })

    describe('accounts', () => {
      it('are found by name and by number, the own one too', async () => {
        const root = await host.processes.account('root')
        expect(root).toEqual({ name: 'root', uid: 0, gid: 0 })
        expect(await host.processes.account(0)).toEqual(root)
        const self = host.processes.self()
        expect(self.uid).toBe(Number(await shell('id -u')))
        expect(self.gid).toBe(Number(await shell('id -g')))
      })

      it('are undefined when there is none', async () => {
        expect(await host.processes.account('no-such-account')).toBeUndefined()
        expect(await host.processes.account(987_654)).toBeUndefined()
      })
    })

    describe('a daemon', () => {
      it('is in a session of its own, with its output at the end of the log', async () => {
        await put(at('log'), 'before\n')
        const started = await daemon(
          'echo out; echo err >&2; read -r stat < /proc/$$/stat; echo "$stat"; exec sleep 1000',
        )
        await until(async () => (await logText()).split('\n').length > 3, 'the daemon to write')
        const [before, out, err, stat] = (await logText()).split('\n')
        expect([before, out, err]).toEqual(['before', 'out', 'err'])
        const session = stat?.replace(/^.*\) /, '').split(' ')[3]
        expect(session).toBe(`${started.pid}`)
        expect(started.exit()).toBeUndefined()
      })

      it('has a new log that its owner alone can read', async () => {
        const started = await daemon('exit 0')
        await exitOf(started)
        expect(await modeOf(at('log'))).toBe('600')
      })

      it('says with which code it exited', async () => {
        expect(await exitOf(await daemon('exit 3'))).toBe('it exited with code 3')
      })

      it('says which signal ended it', async () => {
        const started = await daemon('exec sleep 1000')
        host.processes.signal(started.pid, 'SIGQUIT')
        expect(await exitOf(started)).toBe('it was ended by SIGQUIT')
      })

      it('runs under an account', async () => {
        const account = await owner()
        const started = await host.processes.startDaemon('/bin/sh', ['-c', 'id -u'], { account, logFile: at('log') })
        daemons.push(started)
        await exitOf(started)
        expect(await logText()).toBe(`${account.uid}\n`)
      })

      it('throws when it cannot be started', async () => {
        await expect(host.processes.startDaemon(at('absent'), [], { logFile: at('log') })).rejects.toMatchObject({
          code: 'command-failed',
        })
        await expect(
          host.processes.startDaemon('/bin/sh', ['-c', 'exit 0'], { logFile: at('absent', 'log') }),
        ).rejects.toMatchObject({ code: 'file-system-failed' })
      })

      const logText = async (): Promise<string> => (await host.files.readText(at('log'))) ?? ''
    })

    describe('processes', () => {
      it('are identified by when they started: equal for the same, different for another', async () => {
        const one = await daemon('exec sleep 1000')
        const first = await host.processes.identify(one.pid)
        expect(first).toMatchObject({ pid: one.pid, workingDirectory: '/', uid: host.processes.self().uid })
        expect(await host.processes.identify(one.pid)).toEqual(first)
        // The clock by which starts are told apart has 100 ticks a second.
        await until(async () => {
          const later = await daemon('exec sleep 1000')
          const found = await host.processes.identify(later.pid)
          host.processes.signal(later.pid, 'SIGKILL')
          await exitOf(later)
          return found?.startedAt !== first?.startedAt
        }, 'a process that started later to look different')
      })

      it('are undefined when there is none', async () => {
        const started = await daemon('exit 0')
        await exitOf(started)
        expect(await host.processes.identify(started.pid)).toBeUndefined()
      })

      it('are undefined when only their entry is left', async () => {
        // Replaced by sleep, the parent never asks how its child ended.
        const parent = await daemon('sh -c "exit 0" & echo $!; exec sleep 1000')
        await until(async () => ((await host.files.readText(at('log'))) ?? '').endsWith('\n'), 'the pid to be written')
        const pid = Number(await host.files.readText(at('log')))
        await until(async () => (await host.processes.identify(pid)) === undefined, 'the child to end')
        expect(parent.exit()).toBeUndefined()
        // A signal still reaches a zombie: its pid is taken, and yet nothing runs.
        expect(host.processes.signal(pid, 'SIGHUP')).toBe(true)
      })

      it('take a signal, and there is none to take it when they are gone', async () => {
        const started = await daemon('exec sleep 1000')
        expect(host.processes.signal(started.pid, 'SIGTERM')).toBe(true)
        await exitOf(started)
        expect(host.processes.signal(started.pid, 'SIGTERM')).toBe(false)
      })

      it('of others are not signalled without permission', async () => {
        // Root may signal every process; whether init is there is all that a harmless signal to it could tell.
        if (isRoot()) expect((await host.processes.identify(1))?.uid).toBe(0)
        else
          expect(() => host.processes.signal(1, 'SIGHUP')).toThrow('cannot send SIGHUP to process 1: permission denied')
      })
    })

    describe('the network', () => {
      it('knows its own addresses and names', async () => {
        for (const own of ['127.0.0.1', '127.8.9.10', '::1', 'localhost']) {
          expect(await host.network.isOwnAddress(own), own).toBe(true)
        }
        // Networks for documentation, and a name that never is one.
        for (const other of ['203.0.113.7', '2001:db8::7', 'host.invalid']) {
          expect(await host.network.isOwnAddress(other), other).toBe(false)
        }
      })

      it('finds a port that is free', async () => {
        const port = await host.network.freePort()
        expect(port).toBeGreaterThan(0)
        expect(await host.network.canListen('127.0.0.1', port)).toEqual({ free: true })
      })

      it('leaves a port free that it has looked at', async () => {
        const port = await host.network.freePort()
        for (const again of [1, 2, 3]) {
          expect(await host.network.canListen('127.0.0.1', port), `time ${again}`).toEqual({ free: true })
        }
      })

      it('says why a server cannot listen', async () => {
        const port = await host.network.freePort()
        const script = `require('net').createServer().listen(${port}, '127.0.0.1', () => console.log('listening'))`
        const listener = await host.processes.startDaemon(process.execPath, ['-e', script], { logFile: at('log') })
        daemons.push(listener)
        await until(async () => (await host.files.readText(at('log'))) !== '', 'the port to be taken')
        expect(await host.files.readText(at('log'))).toBe('listening\n')
        expect(await host.network.canListen('127.0.0.1', port)).toEqual({
          free: false,
          reason: 'another program listens there',
        })
        expect(await host.network.canListen('203.0.113.7', port)).toMatchObject({
          free: false,
          reason: expect.stringContaining('EADDRNOTAVAIL'),
        })
      })
    })
  })
}

async function exitOf(daemon: Daemon): Promise<string> {
  return await waitUntil(
    () => {
      const value = daemon.exit()
      return value === undefined ? { done: false, seen: 'it runs' } : { done: true, value }
    },
    { awaited: `process ${daemon.pid} to end`, deadline: Deadline.after(30_000), everyMs: 5 },
  )
}

async function until(isTrue: () => Promise<boolean>, awaited: string): Promise<void> {
  await waitUntil(
    async () => ((await isTrue()) ? { done: true, value: undefined } : { done: false, seen: 'it is not so' }),
    { awaited, deadline: Deadline.after(30_000), everyMs: 5 },
  )
}
