import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import { Secret } from '@maestra/client/base/secret'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LocalHost } from '../../packages/maestra/src/host/local/local-host.js'
import { stopServer as stopAsMaestra } from '../../packages/maestra/src/server/postmaster.js'
import { wakeStandby } from '../../packages/maestra/src/server/wake-standby.js'
import { ClusterFolder, quickParameters } from '../harness/cluster-folder.js'
import { type MaestraRun, startMaestra } from '../harness/maestra.js'
import { binOf, type Major } from '../harness/majors.js'
import { managedFiles } from '../harness/managed-files.js'
import { runningServer, signalServer, stopServer } from '../harness/servers.js'
import { sql } from '../harness/sql.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

const both = ['db1', 'db2']
let workspace: Workspace
let shop: ClusterFolder
let major: Major
let bin: string | undefined

/**
 * Settings that PostgreSQL rejects, and restarts. Briefly: with what depends on the major version of PostgreSQL alone.
 */
export function describeRestart(of: Major, { briefly = false } = {}): void {
  describe(`settings and restarts of PostgreSQL ${of.version}`, () => {
    beforeAll(async () => {
      workspace = openWorkspace()
      major = of
      bin = await binOf(major, workspace)
      shop = await ClusterFolder.open(workspace, 'shop', [...both, 'db3'])
    })

    afterAll(() => workspace.remove())

    describe('a cluster that is to be made with settings that PostgreSQL rejects', () => newCluster(of))
    describe('running servers', briefly ? runningServersBriefly : runningServers)
    if (of.version < 15) describe('what does not go together, which this version tells when it starts', oldCombination)
    if (briefly) return
    describe('a replica that is to be made with settings that PostgreSQL rejects', newReplica)
    describe('a stopped server', stoppedServer)
    describe('a restart that fails', failingRestart)
    describe('what somebody else changed by ALTER SYSTEM', changedByOthers)
    describe('a standby whose primary was restarted', woken)
    describe('Ctrl-C while a server is restarted', interrupted)
    describe('a server that does not stop in time', heldUp)
  })
}

/** For all nodes, and for one of them alone. */
function declare(lines: readonly string[], ofNode: Readonly<Record<string, string>> = {}, nodes = both): void {
  shop.declare({
    version: major.version,
    ...(bin !== undefined && { bin }),
    nodes,
    parameters: [...quickParameters, 'max_connections: 30', ...lines],
  })
  let text = readFileSync(shop.file('maestra.yaml'), 'utf8')
  for (const [node, more] of Object.entries(ofNode)) {
    text = text.replace(`data: ./${node}`, `data: ./${node}, parameters: { ${more} }`)
  }
  shop.write(text)
}

/** What may not change when settings are rejected. */
function state(nodes = both) {
  return { files: managedFiles(shop, nodes), servers: nodes.map((node) => runningServer(shop.data(node))) }
}

async function rejected(): Promise<MaestraRun> {
  const run = await shop.run(['apply', '--yes'])
  expect(run.code).toBe(1)
  expect(run.stderr.split('\n')).toHaveLength(3)
  return run
}

function stepsIn(run: MaestraRun): readonly string[] {
  return run.stdout.match(/✓ [^(\n]*/g) ?? []
}

async function expectNothingToDo(): Promise<void> {
  // A standby tries every 5 s to reach a primary that was away.
  await waitUntil(
    async () => {
      const { code, stdout } = await shop.run(['plan', '--detailed-exitcode'])
      return code === 0 ? { done: true, value: undefined } : { done: false, seen: stdout }
    },
    { awaited: 'a plan with nothing to do', deadline: Deadline.after(30_000), everyMs: 100 },
  )
  const left = both.flatMap((node) =>
    readdirSync(shop.data(node)).filter((name) => /^maestra\.(trial|before)/.test(name)),
  )
  expect(left).toEqual([])
}

async function show(node: string, name: string): Promise<unknown> {
  const [row] = await sql(shop.url(node), `show ${name}`)
  return Object.values(row ?? {})[0]
}

function newCluster(of: Major): void {
  it('is not begun for a value', async () => {
    declare(['max_files_per_process: abc'])
    const run = await rejected()
    expect(run.stderr).toMatch(
      /^Error: db\d would not start with these settings: invalid value for parameter "max_files_per_process": "abc"\n/,
    )
    expect(stepsIn(run)).toEqual([])
    expect(readdirSync(shop.directory)).toEqual(['maestra.yaml'])
  })

  if (of.version >= 15) {
    it('has no data for what does not go together', combinationOfNew)
  }

  it('is made once that is corrected', async () => {
    declare([])
    await shop.apply()
    await expectNothingToDo()
  })
}

async function combinationOfNew(): Promise<void> {
  declare(['superuser_reserved_connections: 30'])
  const run = await rejected()
  expect(run.stderr).toMatch(/superuser_reserved_connections"? \(30\) .*must be less than "?max_connections"? \(30\)/)
  expect(stepsIn(run)).toEqual(['✓ complete the passfile '])
  expect(readdirSync(shop.directory).filter((name) => name.startsWith('db1'))).toEqual([])
}

async function expectAsTheyWere(
  lines: readonly string[],
  words: string,
  ofNode: Readonly<Record<string, string>> = {},
) {
  declare(lines, ofNode)
  const before = state()
  for (const _time of [1, 2]) {
    const run = await rejected()
    expect(run.stderr).toContain(words)
    expect(run.stderr).toContain(`Try: correct it in ${shop.file('maestra.yaml')}`)
    expect(stepsIn(run)).toEqual([])
    expect(state()).toEqual(before)
  }
  declare([])
  await expectNothingToDo()
}

function runningServersBriefly(): void {
  it('with a value that takes a restart are as they were', async () => {
    await expectAsTheyWere(['max_files_per_process: abc'], '"max_files_per_process": "abc"')
  })
}

/** Tried one by one, the values are right. */
function oldCombination(): void {
  it('is put back', async () => {
    declare([], { db1: 'superuser_reserved_connections: 30' })
    const run = await rejected()
    expect(run.stderr).toMatch(/superuser_reserved_connections.*; it runs again with its settings of before/)
    expect(await show('db1', 'superuser_reserved_connections')).toBe('3')
    declare([])
    await expectNothingToDo()
  })
}

function runningServers(): void {
  it.each([
    [
      'a value that takes a restart',
      ['max_files_per_process: abc'],
      {},
      'invalid value for parameter "max_files_per_process": "abc"',
    ],
    ['a value of the primary alone', [], { db1: 'max_files_per_process: abc' }, 'db1 would not start'],
    ['a value of a standby alone', [], { db2: 'max_files_per_process: abc' }, 'db2 would not start'],
    ['what does not go together', ['superuser_reserved_connections: 30'], {}, 'must be less than "max_connections"'],
    [
      'what does not go together on the primary',
      [],
      { db1: 'superuser_reserved_connections: 40' },
      'db1 would not start',
    ],
    ['a name', ['no_such_thing: 1'], {}, 'unrecognized configuration parameter "no_such_thing"'],
  ] as const)('with %s are as they were, however often it is tried', async (_what, lines, ofNode, words) => {
    await expectAsTheyWere(lines, words, ofNode)
  })

  it('are not restarted with a file of somebody else that would keep them down', async () => {
    const conf = join(shop.data('db1'), 'postgresql.conf')
    const text = readFileSync(conf, 'utf8')
    writeFileSync(conf, `max_locks_per_transaction = nonsense\n${text}`)
    declare([], { db1: 'max_files_per_process: 950' })
    const pid = runningServer(shop.data('db1'))
    const run = await rejected()
    expect(run.stderr).toContain('"max_locks_per_transaction": "nonsense"')
    expect(run.stderr).toContain('configuration files of db1')
    expect(runningServer(shop.data('db1'))).toBe(pid)
    writeFileSync(conf, text)
    declare([])
    await shop.apply()
    await expectNothingToDo()
  })
}

function newReplica(): void {
  it.each(['max_files_per_process: abc', 'superuser_reserved_connections: 30'])('is not begun (%s)', async (line) => {
    declare([], { db3: line }, [...both, 'db3'])
    const before = state()
    const run = await rejected()
    expect(run.stderr).toContain('db3 would not start')
    expect(stepsIn(run)).toEqual([])
    expect(await sql(shop.url('db1'), 'select slot_name from pg_replication_slots')).toEqual([{ slot_name: 'db2' }])
    expect(existsSync(shop.data('db3'))).toBe(false)
    expect(state()).toEqual(before)
    declare([])
  })
}

function stoppedServer(): void {
  it('stays stopped, with its files of before, when what is declared is rejected', async () => {
    await stopServer(shop.data('db2'))
    declare([], { db2: 'max_files_per_process: abc' })
    const before = managedFiles(shop, both)
    const run = await rejected()
    expect(run.stderr).toContain('db2 would not start')
    expect(stepsIn(run)).toEqual([])
    expect(managedFiles(shop, both)).toEqual(before)
    expect(existsSync(join(shop.data('db2'), 'postmaster.pid'))).toBe(false)
  })

  it('runs with its settings of before when it does not start with those that are declared', async () => {
    declare([], { db2: 'huge_pages: on, shared_buffers: 512GB' })
    const run = await rejected()
    expect(run.stderr).toMatch(/^Error: db2 did not start, .*; it runs again with its settings of before\n/)
    expect(await show('db2', 'shared_buffers')).toBe('16MB')
    declare([])
    await expectNothingToDo()
  })
}

function failingRestart(): void {
  it.each(both)('leaves %s running with its settings of before, however often it is tried', async (node) => {
    declare([], { [node]: 'shared_preload_libraries: nowhere' })
    const files = managedFiles(shop, both)
    for (const _time of [1, 2]) {
      const run = await rejected()
      expect(run.stderr).toMatch(
        /^Error: db\d did not start, .*could not access file "nowhere".*; it runs again with its settings of before/,
      )
      expect(await show(node, 'shared_preload_libraries')).toBe('')
      expect(contentsOf(managedFiles(shop, both))).toEqual(contentsOf(files))
      expect((await shop.run(['plan'])).stdout).toContain(`${node}: restart`)
    }
    declare([])
    await expectNothingToDo()
    expect((await shop.status()).nodes.map((each) => each.state)).toEqual(['running', 'streaming'])
  })
}

/** Whatever their times are. */
function contentsOf(files: unknown): unknown {
  return Object.values(files as Record<string, { content?: unknown }>).map(({ content }) => content)
}

function changedByOthers(): void {
  it.each([
    ['db2', 10, 'db2: its restart would bring in max_connections = 10'],
    ['db1', 90, 'db1: its restart would bring in max_connections'],
  ])('on %s is not brought in where a standby could not follow', async (node, value, words) => {
    declare(['max_files_per_process: 920'])
    await sql(shop.url(node), `alter system set max_connections = ${value}`)
    const before = state()
    const run = await shop.run(['apply', '--yes'])
    expect(run).toMatchObject({ code: 1, stdout: expect.stringContaining(words) })
    expect(state()).toEqual(before)
    declare([])
    // No reason for a restart of its own.
    expect((await shop.run(['plan'])).stdout).toContain('nothing to do')
    await sql(shop.url(node), 'alter system reset max_connections')
    await expectNothingToDo()
  })
}

function woken(): void {
  it('streams again at once, however long it would wait by itself', async () => {
    declare(['wal_retrieve_retry_interval: 1h'])
    await shop.apply()
    declare(['wal_retrieve_retry_interval: 1h', 'max_files_per_process: 930'])
    const run = await shop.apply()
    expect(stepsIn(run).slice(-2)).toEqual(['✓ db1: restart its server ', '✓ db2: wait until it streams from db1 '])
    await expectNothingToDo()
    declare([])
    await shop.apply()
  })

  it('is not made to read what somebody wrote into its files and did not load', async () => {
    const login = { node: 'db2', host: '127.0.0.1', port: shop.port('db2'), ...superuser() }
    expect(await wakeStandby(login)).toBe(true)
    expect(await wakeStandby({ ...login, port: shop.port('db1') })).toBe(false)
    for (const file of ['postgresql.conf', 'pg_hba.conf']) {
      const path = join(shop.data('db2'), file)
      const soon = new Date(Date.now() + 5_000)
      const { mtime } = statSync(path)
      utimesSync(path, soon, soon)
      expect(await wakeStandby(login)).toBe(false)
      utimesSync(path, mtime, mtime)
      expect(await wakeStandby(login)).toBe(true)
    }
  })
}

function superuser() {
  const { username, password } = new URL(shop.url('db2'))
  return { user: decodeURIComponent(username), password: new Secret(decodeURIComponent(password)) }
}

function interrupted(): void {
  it('waits until it runs again, and says what is left', async () => {
    declare(['max_files_per_process: 900'])
    const pid = runningServer(shop.data('db2'))
    const apply = startMaestra(workspace, ['apply', '--yes'], { cwd: shop.directory })
    await waitUntil(
      () => (isStopping('db2', pid) ? { done: true, value: undefined } : { done: false, seen: 'it runs' }),
      {
        awaited: 'db2 to be stopped for its restart',
        deadline: Deadline.after(30_000),
        everyMs: 1,
      },
    )
    apply.signal('SIGINT')
    const run = await apply.end()
    expect(run.code).toBe(130)
    expect(run.stderr).toMatch(/stopped by SIGINT; left to do: .*db1: restart/)
    expect(await show('db2', 'max_files_per_process')).toBe('900')
    expect(await show('db1', 'max_files_per_process')).toBe('1000')
    await shop.apply()
    expect(await show('db1', 'max_files_per_process')).toBe('900')
    await expectNothingToDo()
  })
}

function isStopping(node: string, pid: number): boolean {
  const file = join(shop.data(node), 'postmaster.pid')
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []
  return Number(lines[0]) !== pid || lines[7]?.trim() === 'stopping'
}

function heldUp(): void {
  it('is left alone, and the error says who holds it up', async () => {
    const data = shop.data('db1')
    await signalServer(shop.data('db2'), 'SIGSTOP')
    await sql(shop.url('db1'), 'create table held as select generate_series(1, 1000)')
    const stopping = stopAsMaestra(new LocalHost(), { node: 'db1', data, timeoutMs: 1500 })
    await expect(stopping).rejects.toMatchObject({
      code: 'server-did-not-stop',
      message: expect.stringMatching(/walsender replicator 127\.0\.0\.1/),
    })
    await signalServer(shop.data('db2'), 'SIGCONT')
    await waitUntil(
      () =>
        existsSync(join(data, 'postmaster.pid')) ? { done: false, seen: 'it runs' } : { done: true, value: undefined },
      { awaited: 'db1 to stop', deadline: Deadline.after(30_000) },
    )
    await shop.apply()
    await expectNothingToDo()
  })
}
