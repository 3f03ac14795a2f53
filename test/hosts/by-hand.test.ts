import { execFile, execFileSync } from 'node:child_process'
import { appendFileSync, chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openWorkspace, type Workspace } from '../harness/workspace.js'
import { Namespaces } from './namespaces.js'
import { type Block, pageCommands } from './page-commands.js'
import { clientPrograms } from './programs.js'

const machines = { primary: 1, replica: 2, third: 3 } as const
type Machine = keyof typeof machines

const page = pageCommands('by-hand.md')
const isWritten = ({ where }: Block) => where.startsWith('written-')
const written = page.filter(isWritten)
const corrected = page.filter((block) => !isWritten(block))

it('has the same commands in both languages', () => {
  expect(pageCommands('by-hand.es.md')).toEqual(page)
  expect(page.map(({ where }) => where)).toEqual([
    'written-primary',
    'written-replica',
    'both',
    'primary',
    'primary',
    'replica',
    'primary',
    'replica',
    'third',
  ])
})

type Ended = { readonly code: number; readonly stdout: string; readonly stderr: string }

/** Two machines with a PostgreSQL each, as the page finds them, and a third one. */
class Machines {
  readonly #workspace: Workspace = openWorkspace()
  readonly #hosts = Namespaces.make(3)
  readonly #account = Number(execFileSync('id', ['-u', 'postgres'], { encoding: 'utf8' }))
  readonly #programs = clientPrograms() ?? ''

  async begin(): Promise<void> {
    for (const machine of ['primary', 'replica'] as const) {
      const folder = this.folder(machine)
      mkdirSync(folder)
      chownSync(folder, this.#account, this.#account)
      await this.run(machine, 'initdb -D "$DATA" -A trust --no-sync')
      // The machines of the test have one folder of sockets.
      const conf = `unix_socket_directories = ''\nlisten_addresses = 'localhost,${this.#hosts.address(machines[machine])}'\n`
      appendFileSync(join(folder, 'data/postgresql.conf'), conf)
      await this.run(machine, 'pg_ctl -D "$DATA" -l "$DATA.log" -w start')
    }
  }

  folder(machine: Machine): string {
    return join(this.#workspace.directory, machine)
  }

  /** Commands as the account postgres of the machine, with what the block `both` of the page sets; they have to end well. */
  async run(machine: Machine, commands: string): Promise<Ended> {
    const ended = await this.tryToRun(machine, commands)
    if (ended.code !== 0) throw new Error(`${commands} ended with ${ended.code}\n${ended.stdout}\n${ended.stderr}`)
    return ended
  }

  async tryToRun(machine: Machine, commands: string): Promise<Ended> {
    const as = ['setpriv', `--reuid=${this.#account}`, `--regid=${this.#account}`, '--init-groups', '/bin/sh', '-euc']
    const [program, args] = this.#hosts.command(machines[machine], ...as, commands)
    const env = {
      PATH: `${this.#programs}:/usr/bin:/bin`,
      HOME: this.folder(machine),
      DATA: join(this.folder(machine), 'data'),
      ARCHIVE: join(this.folder(machine), 'its archive'),
      PRIMARY: this.#hosts.address(1),
      REPLICA: this.#hosts.address(2),
      PGHOST: '127.0.0.1',
      PGDATABASE: 'postgres',
    }
    return await promisify(execFile)(program, args, { env, cwd: '/', timeout: 100_000 }).then(
      (ended) => ({ code: 0, ...ended }),
      (error) => ({ code: Number(error.code), stdout: String(error.stdout), stderr: String(error.stderr) }),
    )
  }

  /** Until a statement prints it. */
  async untilPrinted(machine: Machine, statement: string, wanted: string): Promise<void> {
    await waitUntil(
      async () => {
        const { stdout, stderr } = await this.tryToRun(machine, `psql -Atc "${statement}"`)
        return stdout.trim() === wanted ? { done: true, value: undefined } : { done: false, seen: stdout + stderr }
      },
      { awaited: `${statement} to print ${wanted}`, deadline: Deadline.after(30_000) },
    )
  }

  async end(): Promise<void> {
    await this.#workspace.remove()
    await this.#hosts.remove()
  }
}

function blocksOf(blocks: readonly Block[], where: string): readonly string[] {
  return blocks.filter((block) => block.where === where).map(({ commands }) => commands)
}

describe('the page as it is written', () => {
  let here: Machines

  beforeAll(async () => {
    here = new Machines()
    await here.begin()
  })

  afterAll(() => here.end())

  it('has one WAL sender, which is too few for pg_basebackup', async () => {
    for (const commands of blocksOf(written, 'written-primary')) await here.run('primary', commands)
    expect((await here.run('primary', 'psql -Atc "show wal_level"')).stdout).toBe('replica\n')
    const [commands = ''] = blocksOf(written, 'written-replica')
    const { code, stderr } = await here.tryToRun('replica', commands)
    expect(code).toBe(1)
    expect(stderr).toMatch(/number of requested standby connections exceeds "?max_wal_senders"? \(currently 1\)/)
  })

  it('makes a copy with one, when the WAL is fetched by that one', async () => {
    const [commands = ''] = blocksOf(written, 'written-replica')
    const copy = commands.split('\n').find((line) => line.startsWith('pg_basebackup')) ?? ''
    await here.run('replica', `${copy} -X fetch -c fast`)
    expect(readdirSync(join(here.folder('replica'), 'data'))).toContain('standby.signal')
  })

  it('archives nothing', async () => {
    await here.run('primary', 'psql -c "create table t ()" -c "select pg_switch_wal()"')
    const text = 'select archived_count, failed_count > 0 from pg_stat_archiver'
    await here.untilPrinted('primary', text, '0|t')
  })
})

describe('the corrected page', () => {
  let here: Machines

  beforeAll(async () => {
    here = new Machines()
    await here.begin()
  })

  afterAll(() => here.end())

  it('names what the test has for each machine', () => {
    const [commands = ''] = blocksOf(corrected, 'both')
    expect([...commands.matchAll(/(\w+)=/g)].map(([, name]) => name)).toEqual([
      'PRIMARY',
      'REPLICA',
      'PATH',
      'DATA',
      'ARCHIVE',
    ])
  })

  it('works, command by command', async () => {
    const [archive = '', settings = '', look = ''] = blocksOf(corrected, 'primary')
    const [copy = '', lookAgain = ''] = blocksOf(corrected, 'replica')
    await here.run('primary', archive)
    await here.run('primary', settings)
    await here.run('replica', copy)
    await here.untilPrinted('primary', 'select state from pg_stat_replication', 'streaming')

    const seen = (await here.run('primary', look)).stdout
    expect(seen).toMatch(/192\.168\.1\.2 +\| streaming/)
    expect(seen).toMatch(/replica1 +\| t +\| reserved/)
    await here.untilPrinted('replica', 'select line from hello', 'from the primary')
    const onReplica = await here.run('replica', lookAgain)
    expect(onReplica.stdout).toMatch(/from the primary.*refused, as it has to be/s)
    expect(onReplica.stderr).toContain('cannot execute INSERT in a read-only transaction')
  })

  it('refuses a third machine', async () => {
    const [look = ''] = blocksOf(corrected, 'third')
    const { stdout, stderr } = await here.run('third', look)
    expect(stdout).toBe('refused, as it has to be\n')
    expect(stderr).toContain('no pg_hba.conf entry for replication connection from host "192.168.1.3"')
  })

  it('archives without ever replacing a file', async () => {
    const archive = join(here.folder('primary'), 'its archive')
    const next = async () => {
      const text = 'select pg_walfile_name(pg_current_wal_insert_lsn())'
      return (await here.run('primary', `psql -Atc "${text}"`)).stdout.trim()
    }
    const switchSegment = () =>
      here.run('primary', 'psql -c "create table t ()" -c "drop table t" -c "select pg_switch_wal()"')
    const first = await next()
    await switchSegment()
    await here.untilPrinted('primary', `select last_archived_wal >= '${first}' from pg_stat_archiver`, 't')
    expect(existsSync(join(archive, first))).toBe(true)

    const second = await next()
    appendFileSync(join(archive, second), 'of another server')
    chmodSync(join(archive, second), 0o644)
    await switchSegment()
    await here.untilPrinted('primary', 'select last_failed_wal from pg_stat_archiver', second)
    expect(readFileSync(join(archive, second), 'utf8')).toBe('of another server')
    expect(readdirSync(archive).filter((name) => name.endsWith('.new'))).toEqual([])
  })
})
