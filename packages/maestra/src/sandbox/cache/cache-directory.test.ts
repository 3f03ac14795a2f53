import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { FileStat, Host } from '../../host/host.js'
import { LocalHost } from '../../host/local/local-host.js'
import { cacheDirectory } from './cache-directory.js'

const asRoot = process.getuid?.() === 0
let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(realpathSync(tmpdir()), 'maestra-cache-'))
})

afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(directory, { recursive: true, force: true })
})

/**
 * A machine on which directories can be made everywhere but where it says; `made` are those that were, with their
 * modes.
 */
function machine(options: { readonly uid: number; readonly closed?: readonly string[] }) {
  const real = new LocalHost()
  const made: string[] = []
  const files = Object.create(real.files) as Host['files']
  files.makeDirectory = async (path, { mode }) => {
    if (options.closed?.some((closed) => path.startsWith(closed))) throw new Error(`cannot make ${path}`)
    made.push(`${path} ${mode.toString(8)}`)
  }
  files.stat = async () => ({ kind: 'directory', uid: options.uid, mode: 0o700 }) as FileStat
  files.create = async () => true
  files.removeFile = async () => {}
  const processes = Object.create(real.processes) as Host['processes']
  processes.self = () => ({ name: 'somebody', uid: options.uid, gid: options.uid })
  const host: Host = { name: real.name, files, processes, network: real.network }
  return { host, made }
}

describe('the choice of the cache directory', () => {
  it.each([
    ['MAESTRA_CACHE', 1000, { MAESTRA_CACHE: '/c', XDG_CACHE_HOME: '/x', HOME: '/h' }, '/c'],
    ['MAESTRA_CACHE, for root too', 0, { MAESTRA_CACHE: '/c', XDG_CACHE_HOME: '/x', HOME: '/h' }, '/c'],
    ['MAESTRA_CACHE from the current directory', 1000, { MAESTRA_CACHE: 'c' }, resolve('c')],
    ['XDG_CACHE_HOME', 1000, { XDG_CACHE_HOME: '/x', HOME: '/h' }, '/x/maestra'],
    ['the home, where XDG_CACHE_HOME is relative', 1000, { XDG_CACHE_HOME: 'x', HOME: '/h' }, '/h/.cache/maestra'],
    ['the home', 1000, { HOME: '/h' }, '/h/.cache/maestra'],
    [
      'the home, where the others are empty',
      1000,
      { MAESTRA_CACHE: '', XDG_CACHE_HOME: '', HOME: '/h' },
      '/h/.cache/maestra',
    ],
    ['the temporary files, where the home is relative', 1000, { HOME: 'h' }, '/t/maestra-1000'],
    ['the temporary files, where there is no home', 1000, {}, '/t/maestra-1000'],
    ['a place outside of the closed home of root', 0, { XDG_CACHE_HOME: '/x', HOME: '/root' }, '/var/cache/maestra'],
  ])('is %s', async (_, uid, env, expected) => {
    vi.stubEnv('TMPDIR', '/t')
    const { host, made } = machine({ uid })
    expect(await cacheDirectory(host, env)).toBe(expected)
    // Root's servers run as another account and have to pass; nobody else has a reason to.
    expect(made).toEqual([`${expected} ${uid === 0 ? '711' : '700'}`])
  })

  it.each([
    [1000, '/h', '/t/maestra-1000'],
    [0, '/var/cache', '/t/maestra-0'],
  ])('is the temporary files where the home of %i cannot be written', async (uid, closed, expected) => {
    vi.stubEnv('TMPDIR', '/t')
    const { host } = machine({ uid, closed: [closed] })
    expect(await cacheDirectory(host, { HOME: '/h' })).toBe(expected)
  })

  it('is an error, with what is wrong at each place, where none can be written', async () => {
    vi.stubEnv('TMPDIR', '/t')
    const { host } = machine({ uid: 1000, closed: ['/'] })
    await expect(cacheDirectory(host, { HOME: '/h' })).rejects.toMatchObject({
      code: 'no-permission',
      message: 'there is no place for sandboxes: cannot make /h/.cache/maestra; cannot make /t/maestra-1000',
      hint: 'set MAESTRA_CACHE to a directory that you alone can write',
    })
  })

  it('is an error where MAESTRA_CACHE cannot be written: no other place is taken instead', async () => {
    const { host, made } = machine({ uid: 1000, closed: ['/c'] })
    await expect(cacheDirectory(host, { MAESTRA_CACHE: '/c', HOME: '/h' })).rejects.toMatchObject({
      code: 'no-permission',
      message: 'there is no place for sandboxes: cannot make /c',
    })
    expect(made).toEqual([])
  })

  it('is made once in the life of a host', async () => {
    const { host, made } = machine({ uid: 1000 })
    const found = await Promise.all([1, 2, 3].map(() => cacheDirectory(host, { HOME: '/h' })))
    expect(new Set(found).size).toBe(1)
    expect(made).toHaveLength(1)
    expect(await cacheDirectory(host, { HOME: '/other' })).toBe('/other/.cache/maestra')
  })
})

describe('the cache directory', () => {
  const ask = (path: string): Promise<string> =>
    cacheDirectory(new LocalHost(), { MAESTRA_CACHE: path, HOME: directory })

  const refusal = (message: string) => ({
    code: 'no-permission',
    message: `there is no place for sandboxes: ${message}`,
  })

  it('is made, with nothing in it', async () => {
    const path = join(directory, 'a', 'cache')
    expect(await ask(path)).toBe(path)
    expect(statSync(path).mode & 0o777).toBe(asRoot ? 0o711 : 0o700)
    expect(readdirSync(path)).toEqual([])
  })

  it('may be there already', async () => {
    writeFileSync(join(directory, 'kept'), 'x')
    expect(await ask(directory)).toBe(directory)
    expect(readdirSync(directory)).toEqual(['kept'])
  })

  it.each(['777', '1777', '770', '720', '702'])('is refused when others can write it: %s', async (mode) => {
    chmodSync(directory, Number.parseInt(mode, 8))
    await expect(ask(directory)).rejects.toMatchObject(refusal(`${directory} can be written by others`))
    chmodSync(directory, 0o700)
  })

  it('is refused when it belongs to somebody else', async () => {
    // Only root can give a directory away; for others it is the one of root.
    const path = asRoot ? join(directory, 'given') : '/'
    if (asRoot) {
      mkdirSync(path, { mode: 0o755 })
      chownSync(path, 65_534, 65_534)
    }
    await expect(ask(path)).rejects.toMatchObject(refusal(`${path} can be written by others`))
  })

  it('is refused when it is a link, which somebody else could have made', async () => {
    mkdirSync(join(directory, 'real'), { mode: 0o700 })
    symlinkSync('real', join(directory, 'link'))
    await expect(ask(join(directory, 'link'))).rejects.toMatchObject(
      refusal(`${join(directory, 'link')} is not a directory`),
    )
  })

  it('is refused when a file is in its place', async () => {
    const path = join(directory, 'file')
    writeFileSync(path, 'kept')
    await expect(ask(path)).rejects.toMatchObject({ code: 'no-permission', message: expect.stringContaining(path) })
  })

  it('is refused when nothing can be written in it', async () => {
    const path = join(directory, 'closed')
    mkdirSync(path, { mode: 0o500 })
    // Root writes in every directory.
    if (asRoot) expect(await ask(path)).toBe(path)
    else await expect(ask(path)).rejects.toThrow(/there is no place for sandboxes: .*permission denied/)
  })
})
