import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LocalHost } from '../../host/local/local-host.js'
import { pgBasebackup } from './pg-basebackup.js'

let home: string
let directory: string

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'maestra-basebackup-'))
  directory = join(home, 'data')
  mkdirSync(directory)
})

afterEach(() => rmSync(home, { recursive: true }))

/** Programs that stand for PostgreSQL's own. */
function program(name: string, body: string): void {
  const path = join(home, name)
  writeFileSync(path, `#!/bin/sh\n${body}\n`)
  chmodSync(path, 0o755)
}

async function copy(stallMs: number, baseBackup: { checkpoint?: 'fast' | 'spread'; verify?: boolean } = {}) {
  const host = new LocalHost()
  await pgBasebackup(host, {
    programs: home,
    account: host.processes.self(),
    label: 'test',
    primary: {
      node: 'db1',
      host: '127.0.0.1',
      port: 5432,
      user: 'replicator',
      database: 'postgres',
      password: undefined,
    },
    baseBackup: { with: 'pg_basebackup', checkpoint: 'fast', maxRateKb: undefined, verify: false, ...baseBackup },
    directory,
    scratch: home,
    sync: false,
    stallMs,
  })
}

describe('pg_basebackup and pg_verifybackup', () => {
  it('are ended when nothing grows any more, with a word on what was awaited and what was there', async () => {
    program('pg_basebackup', `echo data > ${directory}/file; echo $$ > ${home}/pid; exec sleep 1000`)
    await expect(copy(500)).rejects.toMatchObject({
      code: 'deadline-passed',
      message: `waited 500 ms for more of the base backup by ${home}/pg_basebackup; last seen: 5 bytes in ${directory}`,
    })
  })

  it('may take their time while something grows', async () => {
    program('pg_basebackup', `for i in 1 2 3 4 5 6 7 8 9 10; do echo data >> ${directory}/file; sleep 0.2; done`)
    await copy(1500)
    expect(existsSync(join(directory, 'file'))).toBe(true)
  })

  it('wait longer for a fast checkpoint before the first byte, and for a spread one as long as it takes', async () => {
    program('pg_basebackup', 'exec sleep 1000')
    await expect(copy(100)).rejects.toMatchObject({ message: expect.stringMatching(/^waited 500 ms .*: 0 bytes in/) })
    program('pg_basebackup', 'sleep 2')
    await copy(100, { checkpoint: 'spread' })
  })

  it('are ended when the check of the copy does not end', async () => {
    program('pg_basebackup', `echo data > ${directory}/file`)
    program('pg_verifybackup', 'exec sleep 1000')
    await expect(copy(200, { verify: true })).rejects.toMatchObject({
      code: 'deadline-passed',
      message: `waited 200 ms for ${home}/pg_verifybackup to end; last seen: it still reads ${directory}`,
    })
  })
})
