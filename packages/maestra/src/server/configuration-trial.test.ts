import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseServerVersion } from '@maestra/client/postgres/version'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Host, RunResult } from '../host/host.js'
import { LocalHost } from '../host/local/local-host.js'
import { removeTrials, tryInDirectory, tryWithoutDirectory } from './configuration-trial.js'

const local = new LocalHost({ sync: false })
let directory: string
/** What PostgreSQL was given. */
let given: { readonly args: readonly string[]; readonly text: string }

beforeEach(() => {
  directory = mkdtempSync(join(realpathSync(tmpdir()), 'maestra-trial-'))
})

afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

/** A host whose PostgreSQL says this of the file that it is given. */
function hostThatSays(say: (file: string) => Partial<RunResult>): Host {
  const processes = Object.create(local.processes) as Host['processes']
  processes.run = async (_program, args) => {
    const file = args.find((arg) => arg.startsWith('config_file='))?.slice('config_file='.length) ?? ''
    given = { args, text: readFileSync(file, 'latin1') }
    return { exitCode: 0, stdout: '', stderr: '', ...say(file) }
  }
  return { name: local.name, files: local.files, network: local.network, processes }
}

function trialOf(settings: string, version = '18.4') {
  const binaries = { directory: '/bin', version: parseServerVersion(version), source: 'test' }
  return { node: 'db1', account: local.processes.self(), binaries, settings }
}

const stamp = '2026-11-25 00:46:31.123 UTC [123]'
const settings = "work_mem = '4MB'\nrestore_command = 'secret %p'\n"

describe('tryInDirectory', () => {
  beforeEach(() => {
    writeFileSync(
      join(directory, 'postgresql.conf'),
      "# caf\xe9\nport = 1\ninclude_if_exists 'maestra.conf'\nport = 2\n",
      'latin1',
    )
  })

  it('gives PostgreSQL the files as they would be, whatever the settings file of before says', async () => {
    writeFileSync(join(directory, 'maestra.conf'), 'nonsense')
    expect(
      await tryInDirectory(
        hostThatSays(() => ({})),
        directory,
        trialOf(settings),
      ),
    ).toBeUndefined()
    expect(given.text).toBe(`# caf\xe9\nport = 1\n${settings}port = 2\n`)
    expect(given.args.join(' ')).not.toContain('secret')
    expect(given.args.slice(-2)).toEqual(['-C', 'shared_memory_size'])
    expect(readdirSync(directory)).toEqual(['maestra.conf', 'postgresql.conf'])
  })

  it('asks PostgreSQL 14 for what it can tell', async () => {
    await tryInDirectory(
      hostThatSays(() => ({})),
      directory,
      trialOf(settings, '14.23'),
    )
    expect(given.args.slice(-2)).toEqual(['-C', 'data_directory'])
  })

  it('is content when all that PostgreSQL finds is another server, in any language', async () => {
    const stderr = `${stamp} FATAL:  el archivo de bloqueo «postmaster.pid» ya existe`
    expect(
      await tryInDirectory(
        hostThatSays(() => ({ exitCode: 1, stderr })),
        directory,
        trialOf(settings),
      ),
    ).toBeUndefined()
  })

  it('says in one line what PostgreSQL says, and where it stands in a file of the user', async () => {
    const objections = async (line: number) =>
      await tryInDirectory(
        hostThatSays((file) => ({
          exitCode: 1,
          stderr: [
            `${stamp} LOG:  unrecognized configuration parameter "x" in file "${file}" line ${line}`,
            `${stamp} FATAL:  configuration file "${file}" contains errors`,
          ].join('\n'),
        })),
        directory,
        trialOf(settings),
      )
    const conf = join(directory, 'postgresql.conf')
    expect(await objections(2)).toBe(`unrecognized configuration parameter "x" in file "${conf}" line 2`)
    expect(await objections(3)).toBe('unrecognized configuration parameter "x"')
    expect(await objections(4)).toBe('unrecognized configuration parameter "x"')
    expect(await objections(5)).toBe(`unrecognized configuration parameter "x" in file "${conf}" line 4`)
  })

  it('says what PostgreSQL writes without a stamp', async () => {
    const stderr = 'postgres: "superuser_reserved_connections" (10) must be less than "max_connections" (10)\n'
    expect(
      await tryInDirectory(
        hostThatSays(() => ({ exitCode: 1, stderr })),
        directory,
        trialOf(settings),
      ),
    ).toBe('"superuser_reserved_connections" (10) must be less than "max_connections" (10)')
  })

  it('leaves nothing when PostgreSQL cannot be run', async () => {
    const host = hostThatSays(() => {
      throw new Error('it is not there')
    })
    await expect(tryInDirectory(host, directory, trialOf(settings))).rejects.toThrow('it is not there')
    expect(readdirSync(directory)).toEqual(['postgresql.conf'])
  })
})

describe('tryWithoutDirectory', () => {
  it('tries the settings alone, and leaves nothing', async () => {
    const data = join(directory, 'data')
    expect(
      await tryWithoutDirectory(
        hostThatSays(() => ({})),
        data,
        trialOf(settings),
      ),
    ).toBeUndefined()
    expect(given.text).toBe(settings)
    expect(readdirSync(directory)).toEqual([])
  })
})

describe('removeTrials', () => {
  it('removes what killed runs left of trials, and nothing else', async () => {
    for (const name of ['maestra.trial.db1.conf', 'maestra.trial.db2.conf.maestra-new', 'maestra.conf', 'trial.conf']) {
      writeFileSync(join(directory, name), '')
    }
    await removeTrials(local, directory)
    expect(readdirSync(directory)).toEqual(['maestra.conf', 'trial.conf'])
  })
})
