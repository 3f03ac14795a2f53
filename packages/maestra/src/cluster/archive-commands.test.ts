import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { archiveCommand, archiveCommandBytes, restoreCommand } from './archive-commands.js'

let folder: string
let archive: string
const name = '000000010000000000000007'

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'maestra-archive-'))
  archive = join(folder, `it's 100% of "a" \\ $HOME %p $(id)`)
  mkdirSync(archive)
  mkdirSync(join(folder, 'pg_wal'))
  writeFileSync(join(folder, 'pg_wal', name), 'one segment')
})

afterEach(() => rmSync(folder, { recursive: true }))

/** What PostgreSQL hands to sh, and how that ends: in the data directory, with the names filled in. */
function run(command: string, path = `pg_wal/${name}`): number | null {
  const filled = command.replace(/%[pf%]/g, (each) => (each === '%%' ? '%' : each === '%f' ? name : path))
  return spawnSync('/bin/sh', ['-c', filled], { cwd: folder, env: { PATH: '/usr/bin:/bin' } }).status
}

const archived = () => readFileSync(join(archive, name), 'utf8')

describe('the archive command, in a directory whose name has all that a shell and PostgreSQL read otherwise', () => {
  test('copies a file under its name, and leaves nothing else', () => {
    expect(run(archiveCommand(archive))).toBe(0)
    expect(readdirSync(archive)).toEqual([name])
    expect(archived()).toBe('one segment')
    expect(readdirSync(folder).toSorted()).toEqual([archive.slice(folder.length + 1), 'pg_wal'].toSorted())
  })

  test('succeeds where the same file is there already', () => {
    run(archiveCommand(archive))
    expect(run(archiveCommand(archive))).toBe(0)
  })

  test('fails where another file has the name, and leaves it', () => {
    writeFileSync(join(archive, name), 'of another server')
    expect(run(archiveCommand(archive))).toBeGreaterThan(0)
    expect(archived()).toBe('of another server')
    expect(readdirSync(archive)).toEqual([name])
  })

  test('fails where a folder or the beginning of the file has the name', () => {
    writeFileSync(join(archive, name), 'one seg')
    expect(run(archiveCommand(archive))).toBeGreaterThan(0)
    rmSync(join(archive, name))
    mkdirSync(join(archive, name))
    expect(run(archiveCommand(archive))).toBeGreaterThan(0)
    expect(readdirSync(join(archive, name))).toEqual([])
  })

  test('does not replace a file that gets the name while it copies', () => {
    const late = `n=$(basename "$1"); echo of another server > "$(dirname "$2")/${name}"; command cp "$1" "$2"`
    const command = `cp() { ${late}; }; ${archiveCommand(archive)}`
    expect(run(command)).toBeGreaterThan(0)
    expect(archived()).toBe('of another server\n')
    expect(readdirSync(archive)).toEqual([name])
  })

  test('goes on from a copy that was killed', () => {
    writeFileSync(join(archive, `${name}.77.new`), 'one s')
    expect(run(archiveCommand(archive))).toBe(0)
    expect(readdirSync(archive)).toEqual([name])
  })

  test('fails without the directory, and does not make it', () => {
    rmSync(archive, { recursive: true })
    expect(run(archiveCommand(archive))).toBeGreaterThan(0)
    expect(readdirSync(folder)).toEqual(['pg_wal'])
  })
})

describe('the restore command', () => {
  test('copies what was archived, and says no to what was not', () => {
    run(archiveCommand(archive))
    expect(run(restoreCommand(archive), 'pg_wal/RECOVERYXLOG')).toBe(0)
    expect(readFileSync(join(folder, 'pg_wal', 'RECOVERYXLOG'), 'utf8')).toBe('one segment')
    appendFileSync(join(archive, `${name}.77.new`), 'half')
    rmSync(join(archive, name))
    expect(run(restoreCommand(archive), 'pg_wal/OTHER')).toBe(1)
    expect(readdirSync(join(folder, 'pg_wal'))).not.toContain('OTHER')
  })
})

test('the length of a command is that with the longest names filled in, in bytes', () => {
  expect(archiveCommandBytes('%p')).toBe(47)
  expect(archiveCommandBytes('cp %p /é/100%%/%f')).toBe(3 + 47 + 1 + 9 + 1 + 40 - 1)
})
