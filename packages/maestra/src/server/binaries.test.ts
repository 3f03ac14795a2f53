import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { LocalHost } from '../host/local/local-host.js'
import { type BinariesLocator, closedFolderOf, clusterLocators, findBinaries } from './binaries.js'

const host = new LocalHost({ sync: false })
/** A major version for which no machine has programs of its own, so that only those of the test are found. */
const major = 98
let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(realpathSync(tmpdir()), 'maestra-binaries-'))
})

afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(directory, { recursive: true, force: true })
})

/** A directory with programs that print what those of PostgreSQL print. */
function programs(name: string, version: string, names: readonly string[] = ['postgres', 'initdb']): string {
  const path = join(directory, name)
  mkdirSync(path)
  for (const program of names) {
    writeFileSync(join(path, program), `#!/bin/sh\necho '${program} (PostgreSQL) ${version}'\n`)
    chmodSync(join(path, program), 0o755)
  }
  return path
}

function locatorOf(place: string, ...directories: readonly string[]): BinariesLocator {
  return { place, locate: async () => directories }
}

async function find(options: { bin?: string; path?: readonly string[]; more?: readonly BinariesLocator[] }) {
  vi.stubEnv('PATH', [...(options.path ?? []), '/usr/bin', '/bin'].join(':'))
  return await findBinaries(
    host,
    major,
    clusterLocators(host, { version: major, bin: options.bin }, options.more ?? []),
  )
}

describe('clusterLocators', () => {
  it('looks in PATH, then in the directory of Debian, then in more', () => {
    const more = locatorOf('more')
    const places = clusterLocators(host, { version: 18, bin: undefined }, [more]).map((each) => each.place)
    expect(places).toEqual(['PATH', '/usr/lib/postgresql/18/bin', 'more'])
  })

  it('looks only in the directory that the cluster file names', async () => {
    const named = programs('named', `${major}.1`)
    const onPath = programs('path', `${major}.2`)
    expect(await find({ bin: named, path: [onPath] })).toMatchObject({
      kind: 'found',
      directory: named,
      source: named,
      version: { major, minor: 1 },
    })
    const empty = join(directory, 'empty')
    expect(await find({ bin: empty, path: [onPath] })).toEqual({ kind: 'missing', looked: [empty] })
  })

  it('prefers PATH to more', async () => {
    const onPath = programs('path', `${major}.2`)
    const more = programs('more', `${major}.3`)
    const found = await find({ path: [onPath], more: [locatorOf('more', more)] })
    expect(found).toMatchObject({ kind: 'found', directory: onPath, source: 'PATH' })
  })

  it('takes more where PATH has no programs of the version', async () => {
    const onPath = programs('path', '18.4')
    const more = programs('more', `${major}.3`)
    const found = await find({ path: [onPath], more: [locatorOf('more', more)] })
    expect(found).toMatchObject({ kind: 'found', directory: more, source: 'more' })
  })

  it('goes on in PATH to the first directory with the declared version', async () => {
    const paths = [programs('old', '18.4'), programs('right', `${major}.4`), programs('later', `${major}.5`)]
    expect(await find({ path: paths })).toMatchObject({
      kind: 'found',
      directory: paths[1],
      source: 'PATH',
      version: { major, minor: 4, text: `${major}.4` },
    })
  })

  it('passes over a relative directory in PATH, which means another place in each program', async () => {
    const other = relative(process.cwd(), programs('relative', `${major}.3`))
    const right = programs('right', `${major}.4`)
    vi.stubEnv('PATH', [other, '.', '', right].join(':'))
    const [onPath] = clusterLocators(host, { version: major, bin: undefined }, [])
    expect(await onPath?.locate()).toEqual([right])
  })

  it('needs postgres and initdb in the same directory', async () => {
    const server = programs('server', `${major}.1`, ['postgres'])
    const tools = programs('tools', `${major}.1`, ['initdb'])
    expect(await find({ path: [server, tools] })).toMatchObject({ kind: 'missing' })
  })

  it('passes over a program that does not run, fails or prints something else', async () => {
    const paths = ['broken', 'failing', 'chatty'].map((name) => programs(name, `${major}.1`))
    writeFileSync(join(paths[0] ?? '', 'postgres'), '#!/nowhere/at/all\n')
    writeFileSync(join(paths[1] ?? '', 'postgres'), `#!/bin/sh\necho 'postgres (PostgreSQL) ${major}.1'\nexit 1\n`)
    writeFileSync(join(paths[2] ?? '', 'postgres'), '#!/bin/sh\necho hello\n')
    const right = programs('right', `${major}.4`)
    expect(await find({ path: [...paths, right] })).toMatchObject({ kind: 'found', directory: right })
  })
})

describe('findBinaries', () => {
  it('says where it looked, and which versions are there instead', async () => {
    const old = programs('old', '9.6.24')
    const newer = programs('newer', '99beta1 (Debian 99~beta1-1)')
    expect(await findBinaries(host, 18, [locatorOf('one', old, newer), locatorOf('two')])).toEqual({
      kind: 'missing',
      looked: ['one (which has 9.6.24 and 99beta1)', 'two'],
    })
  })

  it('takes the version alone from what a packager adds to it', async () => {
    const debian = programs('debian', '18.4 (Debian 18.4-1.pgdg13+1)')
    expect(await findBinaries(host, 18, [locatorOf('one', debian)])).toEqual({
      kind: 'found',
      directory: debian,
      source: 'one',
      version: { major: 18, minor: 4, text: '18.4' },
    })
  })

  it('does not ask a place after the one where it has found them, since that may take work', async () => {
    const right = programs('right', '18.4')
    const later: BinariesLocator = {
      place: 'later',
      locate: () => Promise.reject(new Error('it was asked')),
    }
    expect(await findBinaries(host, 18, [locatorOf('one', right), later])).toMatchObject({ kind: 'found' })
  })
})

describe('closedFolderOf', () => {
  it('names the folder that keeps an account from the programs', async () => {
    chmodSync(directory, 0o755)
    const right = programs('right', '18.4')
    const stranger = { name: 'stranger', uid: 54_321, gid: 54_321 }
    expect(await closedFolderOf(host, right, stranger)).toBeUndefined()
    chmodSync(right, 0o700)
    expect(await closedFolderOf(host, right, stranger)).toBe(right)
  })
})
