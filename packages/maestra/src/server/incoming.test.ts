import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Host, HostFiles } from '../host/host.js'
import { LocalHost } from '../host/local/local-host.js'
import { bringIn, removeLeftover } from './incoming.js'

const host = new LocalHost({ sync: false })
let directory: string
let data: string
let scratch: string

beforeEach(() => {
  directory = mkdtempSync(join(realpathSync(tmpdir()), 'maestra-incoming-'))
  data = join(directory, 'data')
  scratch = `${data}.maestra-incoming`
})

afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

async function bring(fill: (directory: string, scratch: string) => Promise<void> | void, on: Host = host) {
  await bringIn(on, { data, account: host.processes.self(), sync: true }, async (into, beside) => fill(into, beside))
}

function put(into: string, name: string, content: string): void {
  writeFileSync(join(into, name), content)
}

/** The host with some of its file operations replaced. */
function hostWith(replaced: Partial<HostFiles>): Host {
  const files = Object.assign(Object.create(host.files) as HostFiles, bound(), replaced)
  return { name: host.name, files, processes: host.processes, network: host.network }
}

/** The methods of LocalFiles use private fields, so they have to be called on the object itself. */
function bound(): Partial<HostFiles> {
  const { files } = host
  return {
    write: (...args) => files.write(...args),
    makeDirectory: (...args) => files.makeDirectory(...args),
    rename: (...args) => files.rename(...args),
    syncTree: (...args) => files.syncTree(...args),
    syncDirectory: (...args) => files.syncDirectory(...args),
  }
}

describe('bringIn', () => {
  it('makes the directory appear only when it is complete', async () => {
    await bring((into, beside) => {
      put(into, 'first', 'one')
      put(beside, 'password', 'secret')
      expect(existsSync(data)).toBe(false)
      expect(statSync(into).mode & 0o777).toBe(0o700)
      expect(statSync(beside).mode & 0o777).toBe(0o700)
      put(into, 'last', 'two')
    })
    expect(readdirSync(data)).toEqual(['first', 'last'])
    expect(statSync(data).mode & 0o777).toBe(0o700)
    expect(readdirSync(directory)).toEqual(['data'])
  })

  it('has everything on the disk before it gives it its name', async () => {
    const happened: string[] = []
    const watched = hostWith({
      syncTree: async (path) => {
        happened.push(existsSync(join(path, 'file')) ? 'synced' : 'synced too early')
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
    expect(readdirSync(join(directory, 'a', 'b'))).toEqual(['data'])
  })

  it('leaves nothing when it fails, and passes the error on', async () => {
    const failure = new Error('no')
    await expect(
      bring((into, beside) => {
        put(into, 'half', 'x')
        put(beside, 'password', 'secret')
        throw failure
      }),
    ).rejects.toBe(failure)
    expect(readdirSync(directory)).toEqual([])
  })

  it('replaces an empty directory', async () => {
    mkdirSync(data, { mode: 0o755 })
    await bring((into) => put(into, 'file', 'x'))
    expect(readdirSync(data)).toEqual(['file'])
    expect(statSync(data).mode & 0o777).toBe(0o700)
  })

  it('does not touch a directory that got something in it meanwhile', async () => {
    const bringing = bring((into) => {
      put(into, 'ours', 'x')
      mkdirSync(data)
      put(data, 'theirs', 'kept')
    })
    await expect(bringing).rejects.toMatchObject({
      code: 'directory-in-the-way',
      message: `${data} is in the way: meanwhile it holds theirs`,
    })
    expect(readdirSync(directory)).toEqual(['data'])
    expect(readdirSync(data)).toEqual(['theirs'])
    expect(readFileSync(join(data, 'theirs'), 'utf8')).toBe('kept')
  })

  it('does not touch a directory that got something in it at the last moment', async () => {
    const late = hostWith({
      rename: async (from, to) => {
        mkdirSync(data)
        put(data, 'theirs', 'kept')
        await host.files.rename(from, to)
      },
    })
    await expect(bring((into) => put(into, 'ours', 'x'), late)).rejects.toMatchObject({ code: 'file-system-failed' })
    expect(readdirSync(directory)).toEqual(['data'])
    expect(readdirSync(data)).toEqual(['theirs'])
  })

  it('does not touch a file that is in the way', async () => {
    writeFileSync(data, 'kept')
    await expect(bring((into) => put(into, 'ours', 'x'))).rejects.toMatchObject({ code: 'file-system-failed' })
    expect(readFileSync(data, 'utf8')).toBe('kept')
    expect(readdirSync(directory)).toEqual(['data'])
  })

  it('removes what a killed run left, and fills a directory that the killed run cannot name', async () => {
    const names: string[] = []
    const leftBy = async () => {
      await bring(
        (into) => {
          names.push(into)
          throw new Error('killed')
        },
        hostWith({ removeTree: () => Promise.resolve() }),
      ).catch(() => {})
    }
    await leftBy()
    expect(readdirSync(directory)).toEqual(['data.maestra-incoming'])
    put(names[0] ?? '', 'half', 'x')
    await bring((into) => {
      names.push(into)
      expect(readdirSync(into)).toEqual([])
    })
    expect(names[1]).not.toBe(names[0])
    expect(readdirSync(directory)).toEqual(['data'])
    expect(readdirSync(data)).toEqual([])
  })

  it('refuses to work where something else has the name of its scratch folder', async () => {
    mkdirSync(scratch)
    put(scratch, 'theirs', 'kept')
    let filled = false
    const bringing = bring(() => {
      filled = true
    })
    await expect(bringing).rejects.toMatchObject({
      code: 'directory-in-the-way',
      message: `${scratch} is in the way: it holds theirs and is not Maestra’s`,
      hint: `move it aside: mv ${scratch} ${scratch}.aside`,
    })
    expect(filled).toBe(false)
    expect(readdirSync(directory)).toEqual(['data.maestra-incoming'])
    expect(readFileSync(join(scratch, 'theirs'), 'utf8')).toBe('kept')
  })
})

describe('removeLeftover', () => {
  it('is fine when there is none', async () => {
    await removeLeftover(host, data)
    expect(readdirSync(directory)).toEqual([])
  })

  it.each([
    ['with its marker', ['maestra-incoming', 'data-1234abcd']],
    ['whose marker was only begun', ['maestra-incoming.maestra-new']],
    ['without anything in it yet', []],
  ])('removes one %s', async (_, names) => {
    mkdirSync(scratch)
    for (const name of names) put(scratch, name, 'x')
    await removeLeftover(host, data)
    expect(readdirSync(directory)).toEqual([])
  })

  it('removes the marker last, so that what a killed removal leaves is removed by the next', async () => {
    mkdirSync(join(scratch, 'data-1234abcd'), { recursive: true })
    put(scratch, 'maestra-incoming', 'x')
    put(scratch, 'a-file', 'x')
    const killed = hostWith({
      removeTree: async (path) => {
        if (path !== scratch) return await host.files.removeTree(path)
        expect(readdirSync(scratch)).toEqual(['maestra-incoming'])
        throw new Error('killed')
      },
    })
    await expect(removeLeftover(killed, data)).rejects.toThrow('killed')
    await removeLeftover(host, data)
    expect(readdirSync(directory)).toEqual([])
  })
})
