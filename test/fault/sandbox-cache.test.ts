import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { startSandbox } from 'maestra'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { giveToPlainUser, isRoot, plainUser } from '../harness/as-user.js'
import { maestra, startMaestra } from '../harness/maestra.js'
import { mountSmallDisk } from '../harness/mounts.js'
import { sql } from '../harness/sql.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'
import { untilNothingIsLeft } from './owner-killed.js'

let workspace: Workspace

beforeAll(() => {
  workspace = openWorkspace()
})

afterAll(() => workspace.remove())

const cacheIn = (directory: string) => ({
  ...workspace,
  cache: directory,
  env: { ...workspace.env, MAESTRA_CACHE: directory },
})

/** Has a sandbox come up and go again. */
async function comesUp(of: Workspace = workspace): Promise<void> {
  process.env['MAESTRA_CACHE'] = of.cache
  const sandbox = await startSandbox({ replicas: 0 })
  expect(await sql(sandbox.primary.url, 'select 1 as one')).toEqual([{ one: 1 }])
  await sandbox.stop()
  await untilNothingIsLeft(of)
}

const built = (kind: 'binaries' | 'templates', of: Workspace = workspace): string => {
  const [name, ...more] = readdirSync(join(of.cache, kind))
  expect(more).toEqual([])
  return join(of.cache, kind, name ?? '')
}

describe('a cache that is built by two processes at once', () => {
  it('is built once, and both sandboxes come up', async () => {
    const ups = ['one', 'two'].map((name) =>
      startMaestra(workspace, ['sandbox', 'up', '--replicas', '0', '--json', '--name', name]),
    )
    const lines = await Promise.all(ups.map((up) => up.prints(/^\{.*\}$/m)))
    for (const [line] of lines)
      expect(await sql(JSON.parse(line).nodes[0].url, 'select 1 as one')).toEqual([{ one: 1 }])
    for (const up of ups) up.signal('SIGTERM')
    for (const up of ups) expect(await up.end()).toMatchObject({ code: 0 })
    built('binaries')
    built('templates')
    await untilNothingIsLeft(workspace)
  })
})

describe('a cache that is damaged', () => {
  afterEach(() => untilNothingIsLeft(workspace))

  const inTemplate = (path: string) => () => join(built('templates'), path)
  const program = (name: string) => () => join(built('binaries'), 'native', 'bin', name)
  const damages: readonly (readonly [string, () => string, (path: string) => void])[] = [
    ['a template without its pg_control', inTemplate('data/global/pg_control'), rmSync],
    ['a template with a file cut short', inTemplate('data/base/1/1259'), (path) => truncateSync(path, 100)],
    ['a template without its password', inTemplate('password'), rmSync],
    ['no program', program('postgres'), rmSync],
    [
      'a program that is cut short',
      program('postgres'),
      (path) => {
        // Another file in its place: this one is a link to the installed package.
        const start = readFileSync(path).subarray(0, 1000)
        rmSync(path)
        writeFileSync(path, start, { mode: 0o755 })
      },
    ],
  ]

  it.each(damages)('is repaired: %s', async (_, pathOf, damage) => {
    const path = pathOf()
    damage(path)
    await comesUp()
    expect(existsSync(path)).toBe(true)
  })

  it('is repaired, too, where the list of what belongs into it is no list', async () => {
    writeFileSync(join(built('templates'), 'maestra-cache'), 'not JSON')
    rmSync(join(built('templates'), 'data', 'PG_VERSION'))
    await comesUp()
  })

  it('is left alone where a part has lost its mark, with what to do', async () => {
    const directory = built('templates')
    rmSync(join(directory, 'maestra-cache'))
    const up = await maestra(workspace, ['sandbox', 'up'])
    expect(up).toMatchObject({ code: 1, stdout: '' })
    expect(up.stderr).toBe(
      `Error: ${directory} is in the way: it holds data, password and not the mark of a complete one\nTry: remove it, it is made again: rm -r ${directory}\n`,
    )
    rmSync(directory, { recursive: true })
    await comesUp()
  })

  it('is rid of what a killed build left', async () => {
    const half = `${built('templates')}.building-999999999-1`
    mkdirSync(join(half, 'data'), { recursive: true })
    expect(await maestra(workspace, ['sandbox', 'list'])).toMatchObject({ code: 0, stderr: '' })
    expect(existsSync(half)).toBe(false)
  })
})

describe('a cache without room', () => {
  it.runIf(isRoot)('is an error that names the disk, leaves nothing, and works when there is room', async () => {
    const disk = workspace.folder('disk')
    mountSmallDisk(disk, 20)
    const of = cacheIn(join(disk, 'cache'))
    // The programs, the template, the data of a sandbox: each finds it full in its turn.
    for (const megabytes of [20, 60, 120]) {
      execFileSync('mount', ['-o', `remount,size=${megabytes}m`, disk])
      const up = await maestra(of, ['sandbox', 'up', '--replicas', '0'])
      expect(up).toMatchObject({ code: 1, stdout: '' })
      expect(up.stderr).toMatch(
        new RegExp(
          `^(  ✓.*\\n)*Error: (?=.*${disk}/).*(no space left|wrote only|could not extend|could write nothing).*\\n(Try: .*\\n)?$`,
          'i',
        ),
      )
      await untilNothingIsLeft(of)
    }
    execFileSync('mount', ['-o', 'remount,size=300m', disk])
    await comesUp(of)
  })
})

describe('a cache that cannot be written', () => {
  it('is an error that says so where it was asked for', async () => {
    const folder = workspace.folder('read-only')
    giveToPlainUser(folder)
    chmodSync(folder, 0o555)
    const of = cacheIn(join(folder, 'cache'))
    const up = await maestra(of, ['sandbox', 'up'], { user: plainUser })
    expect(up).toEqual({
      code: 1,
      stdout: '',
      stderr: `Error: there is no place for sandboxes: cannot make the directory ${of.cache}: permission denied\nTry: set MAESTRA_CACHE to a directory that you alone can write\n`,
    })
    expect(readdirSync(folder)).toEqual([])
  })
})

describe('a cache whose path has a space and letters that are not ASCII', () => {
  it('serves as well as any other', async () => {
    const of = cacheIn(workspace.folder(`it's for Zwischenablage ñ`))
    const up = await maestra(of, ['sandbox', 'up', '--replicas', '1', '--detach', '--json'])
    expect(up).toMatchObject({ code: 0 })
    for (const verb of ['cut', 'mend', 'kill', 'start']) {
      expect(await maestra(of, ['sandbox', verb, 'db2'])).toMatchObject({ code: 0, stderr: '' })
    }
    expect(await maestra(of, ['sandbox', 'down'])).toMatchObject({ code: 0, stderr: '' })
    await untilNothingIsLeft(of)
  })
})
