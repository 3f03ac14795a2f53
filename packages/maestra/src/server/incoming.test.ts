import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Host, HostFiles } from '../host/host.js'
import { type HostUnderTest, hostBench, replaced } from '../host/host-bench.fixture.js'
import { hosts } from '../host/hosts.fixture.js'
import { bringIn, removeLeftover } from './incoming.js'

describe.each(hosts)('on $name', ({ make }) => incomingSuite(make))

function incomingSuite(make: () => Promise<HostUnderTest>): void {
  const { host, at, modeOf, put: write } = hostBench(make)
  let directory: string
  let data: string
  let scratch: string

  beforeEach(() => {
    directory = at()
    data = at('data')
    scratch = `${data}.maestra-incoming`
  })

  const bring = async (fill: (directory: string, scratch: string) => Promise<void>, on: Host = host): Promise<void> => {
    await bringIn(on, { data, account: host.processes.self(), sync: true }, fill)
  }

  const put = (into: string, name: string, content: string): Promise<void> => write(join(into, name), content)
  const list = async (path: string): Promise<readonly string[] | undefined> => await host.files.list(path)
  const makeDirectory = (path: string): Promise<void> => host.files.makeDirectory(path, { mode: 0o755 })
  const isThere = async (path: string): Promise<boolean> => (await host.files.stat(path)) !== undefined

  /** The host with some of its file operations replaced. */
  const hostWith = (by: Partial<HostFiles>): Host => ({
    name: host.name,
    files: replaced(host.files, by),
    processes: host.processes,
    network: host.network,
  })

  describe('bringIn', () => {
    it('makes the directory appear only when it is complete', async () => {
      await bring(async (into, beside) => {
        await put(into, 'first', 'one')
        await put(beside, 'password', 'secret')
        expect(await isThere(data)).toBe(false)
        expect(await modeOf(into)).toBe('700')
        expect(await modeOf(beside)).toBe('700')
        await put(into, 'last', 'two')
      })
      expect(await list(data)).toEqual(['first', 'last'])
      expect(await modeOf(data)).toBe('700')
      expect(await list(directory)).toEqual(['data'])
    })

    it('has everything on the disk before it gives it its name', async () => {
      const happened: string[] = []
      const watched = hostWith({
        syncTree: async (path) => {
          happened.push((await isThere(join(path, 'file'))) ? 'synced' : 'synced too early')
        },
        rename: async (from, to) => {
          happened.push('renamed')
          await host.files.rename(from, to)
        },
      })
      await bring((into) => put(into, 'file', 'x'), watched)
      expect(happened).toEqual(['synced', 'renamed'])
    })

    it('makes the folders on the way', async () => {
      data = join(directory, 'a', 'b', 'data')
      await bring((into) => put(into, 'file', 'x'))
      expect(await list(join(directory, 'a', 'b'))).toEqual(['data'])
    })

    it('leaves nothing when it fails, and passes the error on', async () => {
      const failure = new Error('no')
      await expect(
        bring(async (into, beside) => {
          await put(into, 'half', 'x')
          await put(beside, 'password', 'secret')
          throw failure
        }),
      ).rejects.toBe(failure)
      expect(await list(directory)).toEqual([])
    })

    it('replaces an empty directory', async () => {
      await makeDirectory(data)
      await bring((into) => put(into, 'file', 'x'))
      expect(await list(data)).toEqual(['file'])
      expect(await modeOf(data)).toBe('700')
    })

    it('does not touch a directory that got something in it meanwhile', async () => {
      const bringing = bring(async (into) => {
        await put(into, 'ours', 'x')
        await makeDirectory(data)
        await put(data, 'theirs', 'kept')
      })
      await expect(bringing).rejects.toMatchObject({
        code: 'directory-in-the-way',
        message: `${data} is in the way: meanwhile it holds theirs`,
      })
      expect(await list(directory)).toEqual(['data'])
      expect(await list(data)).toEqual(['theirs'])
      expect(await host.files.readText(join(data, 'theirs'))).toBe('kept')
    })

    it('does not touch a directory that got something in it at the last moment', async () => {
      const late = hostWith({
        rename: async (from, to) => {
          await makeDirectory(data)
          await put(data, 'theirs', 'kept')
          await host.files.rename(from, to)
        },
      })
      await expect(bring((into) => put(into, 'ours', 'x'), late)).rejects.toMatchObject({ code: 'file-system-failed' })
      expect(await list(directory)).toEqual(['data'])
      expect(await list(data)).toEqual(['theirs'])
    })

    it('does not touch a file that is in the way', async () => {
      await write(data, 'kept')
      await expect(bring((into) => put(into, 'ours', 'x'))).rejects.toMatchObject({ code: 'file-system-failed' })
      expect(await host.files.readText(data)).toBe('kept')
      expect(await list(directory)).toEqual(['data'])
    })

    it('removes what a killed run left, and fills a directory that the killed run cannot name', async () => {
      const names: string[] = []
      const leftBy = async () => {
        await bring(
          async (into) => {
            names.push(into)
            throw new Error('killed')
          },
          hostWith({ removeTree: () => Promise.resolve() }),
        ).catch(() => {})
      }
      await leftBy()
      expect(await list(directory)).toEqual(['data.maestra-incoming'])
      await put(names[0] ?? '', 'half', 'x')
      await bring(async (into) => {
        names.push(into)
        expect(await list(into)).toEqual([])
      })
      expect(names[1]).not.toBe(names[0])
      expect(await list(directory)).toEqual(['data'])
      expect(await list(data)).toEqual([])
    })

    it('refuses to work where something else has the name of its scratch folder', async () => {
      await makeDirectory(scratch)
      await put(scratch, 'theirs', 'kept')
      let filled = false
      const bringing = bring(async () => {
        filled = true
      })
      await expect(bringing).rejects.toMatchObject({
        code: 'directory-in-the-way',
        message: `${scratch} is in the way: it holds theirs and is not Maestra’s`,
        hint: `move it aside: mv ${scratch} ${scratch}.aside`,
      })
      expect(filled).toBe(false)
      expect(await list(directory)).toEqual(['data.maestra-incoming'])
      expect(await host.files.readText(join(scratch, 'theirs'))).toBe('kept')
    })
  })

  describe('removeLeftover', () => {
    it('is fine when there is none', async () => {
      await removeLeftover(host, data)
      expect(await list(directory)).toEqual([])
    })

    it.each([
      ['with its marker', ['maestra-incoming', 'data-1234abcd']],
      ['whose marker was only begun', ['maestra-incoming.maestra-new']],
      ['without anything in it yet', []],
    ])('removes one %s', async (_, names) => {
      await makeDirectory(scratch)
      for (const name of names) await put(scratch, name, 'x')
      await removeLeftover(host, data)
      expect(await list(directory)).toEqual([])
    })

    it('removes the marker last, so that what a killed removal leaves is removed by the next', async () => {
      await makeDirectory(join(scratch, 'data-1234abcd'))
      await put(scratch, 'maestra-incoming', 'x')
      await put(scratch, 'a-file', 'x')
      const killed = hostWith({
        removeTree: async (path) => {
          if (path !== scratch) return await host.files.removeTree(path)
          expect(await list(scratch)).toEqual(['maestra-incoming'])
          throw new Error('killed')
        },
      })
      await expect(removeLeftover(killed, data)).rejects.toThrow('killed')
      await removeLeftover(host, data)
      expect(await list(directory)).toEqual([])
    })
  })
}
