import { appendFileSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ClusterFolder, type ClusterText, quickParameters } from '../harness/cluster-folder.js'
import { startMaestra } from '../harness/maestra.js'
import { binOf, type Major } from '../harness/majors.js'
import { managedFiles } from '../harness/managed-files.js'
import { commandLines, isRunning } from '../harness/processes.js'
import { runningServer, stopServer } from '../harness/servers.js'
import { sql, untilRows } from '../harness/sql.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

// One describe after the other: each opens its own.
let workspace: Workspace
let shop: ClusterFolder
let major: Major
let bin: string | undefined

/** With every statement in the log, so that a password in one would be seen. */
const parameters = [...quickParameters, 'log_statement: all']
const two = ['db1', 'db2']
const three = ['db1', 'db2', 'db3']

async function ask(node: string, text: string): Promise<unknown> {
  const [row] = await sql(shop.url(node), text)
  return Object.values(row ?? {})[0]
}

async function onEach(nodes: readonly string[], text: string): Promise<readonly unknown[]> {
  return await Promise.all(nodes.map((node) => ask(node, text)))
}

async function expectAllRight(nodes: readonly string[]): Promise<void> {
  const status = await shop.status()
  expect(status.primary).toBe('db1')
  expect(status.nodes.map((node) => `${node.name} ${node.state} ${node.unknown ?? ''}`.trim())).toEqual(
    nodes.map((node, index) => `${node} ${index === 0 ? 'running' : 'streaming'}`),
  )
  const plan = await shop.run(['plan', '--detailed-exitcode'])
  expect(plan).toEqual({ code: 0, stdout: 'cluster shop: nothing to do\n', stderr: '' })
}

/** As `shop.declare`, of this major. */
function declare(text: ClusterText): void {
  shop.declare({ version: major.version, ...(bin !== undefined && { bin }), ...text })
}

/**
 * A cluster that is created, extended and changed by applies. Briefly: with what depends on the major version of PostgreSQL
 * alone.
 */
export function describeCluster(of: Major, { briefly = false } = {}): void {
  describe(`a cluster of PostgreSQL ${of.version}`, () => {
    beforeAll(async () => {
      workspace = openWorkspace()
      major = of
      bin = await binOf(major, workspace)
      shop = await ClusterFolder.open(workspace, 'shop', three)
      declare({ nodes: two, parameters })
    })

    afterAll(() => workspace.remove())

    describe('of which nothing exists', creation)
    describe('whose passwords', passwords)
    describe('that is as declared', untouched)
    if (!briefly) describe('and a node that was stopped', stoppedNode)
    describe('and a node that is added to its file', addedNode)
    describe('after a change of the allowed addresses', changedAddresses)
    if (!briefly) describe('after a change of parameters', changedParameters)
    if (!briefly) describe('whose servers reject', rejectedParameters)
  })
}

function creation(): void {
  it('is planned without anything being made', async () => {
    const plan = await shop.run(['plan'])
    expect(plan).toMatchObject({ code: 0, stderr: '' })
    expect((await shop.run(['plan', '--detailed-exitcode'])).code).toBe(3)
    const json = JSON.parse((await shop.run(['plan', '--json'])).stdout)
    expect(Object.keys(json)).toEqual([
      'cluster',
      'outcome',
      'steps',
      'refusals',
      'unknowns',
      'findings',
      'fingerprint',
    ])
    expect(json.outcome).toBe('changes')
    expect(json.steps.map((step: { kind: string }) => step.kind)).toEqual([
      'write-passfile',
      'initialise',
      'start',
      'create-replication-role',
      'create-slot',
      'copy-primary',
      'start',
      'await-streaming',
    ])
    expect(readdirSync(shop.directory)).toEqual(['maestra.yaml'])
  })

  it('is not made without being asked for', async () => {
    const run = await shop.run(['apply'])
    expect(run.code).toBe(1)
    expect(run.stderr).toContain('maestra apply --yes')
    expect(readdirSync(shop.directory)).toEqual(['maestra.yaml'])
  })

  it('is made by one apply, whose passwords are on no command line', async () => {
    const seen = new Set<string>()
    const apply = startMaestra(workspace, ['apply', '--yes'], { cwd: shop.directory })
    const look = setInterval(() => {
      for (const line of commandLines()) seen.add(line)
    }, 10)
    const run = await apply.end().finally(() => clearInterval(look))
    expect(run).toMatchObject({ code: 0, stderr: '' })
    expect(run.stdout).toMatch(/cluster shop is as declared\n$/)
    await expectAllRight(two)
    expect([...seen].some((line) => line.includes(shop.data('db1')))).toBe(true)
    for (const password of shop.passwords()) expect([...seen].filter((line) => line.includes(password))).toEqual([])
  })

  it('shows on the replica what is written on the primary', async () => {
    await sql(shop.url('db1'), 'create table sale as select 1 as id')
    await untilRows(shop.url('db2'), 'select id from sale', [{ id: 1 }])
  })

  it('has servers that outlive the command', () => {
    for (const node of two) expect(isRunning(runningServer(shop.data(node)))).toBe(true)
  })
}

function passwords(): void {
  it('stand in files that only the owner can read', () => {
    for (const [path, { mode }] of Object.entries(managedFiles(shop, two) as Record<string, { mode: number }>)) {
      expect(`${path} ${mode.toString(8)}`).toBe(`${path} 600`)
    }
  })

  it('are two, long, and in no log, plan or status', async () => {
    const [superuser = '', replication = ''] = shop.passwords()
    expect([superuser, replication].map((each) => each.length >= 24)).toEqual([true, true])
    expect(superuser).not.toBe(replication)
    const logs = two.map((node) => readFileSync(`${shop.data(node)}.log`, 'utf8'))
    expect(logs[0]).toContain('statement: create role')
    const said = await Promise.all(
      [['plan', '--json'], ['plan'], ['status', '--json'], ['status']].map((args) => shop.run(args)),
    )
    const everything = [...logs, ...said.flatMap(({ stdout, stderr }) => [stdout, stderr])].join('\n')
    expect(everything).not.toContain(superuser)
    expect(everything).not.toContain(replication)
  })

  it('are not in the words about a wrong one', async () => {
    const env = { ...workspace.env, PGPASSWORD: 'wrong-and-secret' }
    renameSync(shop.file('maestra.pgpass'), shop.file('aside'))
    const run = await shop.run(['plan'], { env })
    renameSync(shop.file('aside'), shop.file('maestra.pgpass'))
    expect(run.code).toBe(1)
    expect(run.stdout).toContain('password authentication failed')
    expect(run.stdout + run.stderr).not.toContain('wrong-and-secret')
  })

  it('are asked for by scram-sha-256 on every way in', async () => {
    const methods = 'select distinct auth_method from pg_hba_file_rules'
    expect(await onEach(two, methods)).toEqual(['scram-sha-256', 'scram-sha-256'])
    const stored = `select bool_and(rolpassword like 'SCRAM-SHA-256$%') from pg_authid where rolcanlogin`
    expect(await onEach(two, stored)).toEqual([true, true])
  })
}

function untouched(): void {
  it('is not touched by an apply: no file is written, nothing is reloaded', async () => {
    const files = managedFiles(shop, two)
    const loaded = await onEach(two, 'select pg_conf_load_time()::text')
    const run = await shop.apply()
    expect(run).toEqual({ code: 0, stdout: 'cluster shop: nothing to do\n', stderr: '' })
    expect(managedFiles(shop, two)).toEqual(files)
    expect(await onEach(two, 'select pg_conf_load_time()::text')).toEqual(loaded)
    expect(readdirSync(shop.directory)).toEqual(['db1', 'db1.log', 'db2', 'db2.log', 'maestra.pgpass', 'maestra.yaml'])
  })
}

function stoppedNode(): void {
  it('is started, and catches up', async () => {
    await stopServer(shop.data('db2'))
    await sql(shop.url('db1'), 'insert into sale values (2)')
    await shop.apply()
    expect(await ask('db2', 'select count(*)::int from sale')).toBe(2)
    await expectAllRight(two)
  })

  it('is started with all the others', async () => {
    await Promise.all(two.map((node) => stopServer(shop.data(node))))
    await shop.apply()
    await expectAllRight(two)
    expect(await ask('db1', 'select count(*)::int from sale')).toBe(2)
  })
}

function addedNode(): void {
  it('becomes a replica while the others run on', async () => {
    const started = await onEach(two, 'select pg_postmaster_start_time()::text')
    // What ALTER SYSTEM sets comes along with the copy, and wins over every other file.
    await sql(shop.url('db1'), `alter system set primary_conninfo = 'host=127.0.0.1 port=1'`)
    await sql(shop.url('db1'), `alter system set log_min_duration_statement = 77`)
    declare({ nodes: three, parameters })
    await shop.apply()
    expect(await ask('db3', 'show log_min_duration_statement')).toBe('77ms')
    await sql(shop.url('db1'), 'alter system reset all')
    await sql(shop.url('db3'), 'alter system reset all')
    await expectAllRight(three)
    expect(await onEach(two, 'select pg_postmaster_start_time()::text')).toEqual(started)
    expect(await ask('db3', 'select count(*)::int from sale')).toBe(await ask('db1', 'select count(*)::int from sale'))
    const slots = await sql(shop.url('db1'), 'select slot_name, active from pg_replication_slots order by 1')
    expect(slots).toEqual([
      { slot_name: 'db2', active: true },
      { slot_name: 'db3', active: true },
    ])
  })
}

function changedAddresses(): void {
  const mine = ['# my own words', "log_line_prefix = '%m mine '   # and mine"]
  beforeAll(() => {
    for (const node of three) {
      appendFileSync(join(shop.data(node), 'postgresql.conf'), `${mine.join('\n')}\n`)
      appendFileSync(join(shop.data(node), 'pg_hba.conf'), '# our office\nhost all all 192.0.2.7/32 scram-sha-256\n')
    }
  })

  /** The lines of a file that are not between the marks of Maestra. */
  function ownLines(node: string, file: string): readonly string[] {
    const text = readFileSync(join(shop.data(node), file), 'utf8')
    return text.replace(/^# BEGIN.*[\s\S]*?^# END.*$/m, '').split('\n')
  }

  it('has them in force after a reload, and leaves the lines of the user', async () => {
    const before = three.map((node) => [ownLines(node, 'pg_hba.conf'), ownLines(node, 'postgresql.conf')])
    declare({ nodes: three, parameters, more: ['allow: [10.1.2.0/24]'] })
    const run = await shop.apply()
    expect(run.stdout).toContain('reload')
    const rule = `select count(*)::int from pg_hba_file_rules where address = '10.1.2.0' and auth_method = 'scram-sha-256'`
    expect(await onEach(three, rule)).toEqual([1, 1, 1])
    const loadedAfter = `select pg_conf_load_time() > (pg_stat_file('pg_hba.conf')).modification - interval '1 second'`
    expect(await onEach(three, loadedAfter)).toEqual([true, true, true])
    expect(three.map((node) => [ownLines(node, 'pg_hba.conf'), ownLines(node, 'postgresql.conf')])).toEqual(before)
    expect(readFileSync(join(shop.data('db2'), 'postgresql.conf'), 'utf8')).toContain(mine.join('\n'))
    await expectAllRight(three)
  })
}

function changedParameters(): void {
  let started: readonly unknown[]

  beforeAll(async () => {
    started = await onEach(three, 'select pg_postmaster_start_time()::text')
  })

  it('has one that takes a reload in force without a restart', async () => {
    declare({ nodes: three, parameters: [...parameters, 'work_mem: 7MB'] })
    await shop.apply()
    expect(await onEach(three, 'show work_mem')).toEqual(['7MB', '7MB', '7MB'])
    expect(await onEach(three, 'select pg_postmaster_start_time()::text')).toEqual(started)
    await expectAllRight(three)
  })

  it('asks before it restarts servers', async () => {
    declare({ nodes: three, parameters: [...parameters, 'work_mem: 9MB', 'max_connections: 137'] })
    const files = managedFiles(shop, three)
    const run = await shop.run(['apply'])
    expect(run).toMatchObject({ code: 1, stderr: expect.stringContaining('there is no terminal to ask on') })
    expect(run.stdout).toMatch(
      /db1: restart its server \[interrupts connections\]\n.*max_connections \(not set\) -> 137/,
    )
    expect(managedFiles(shop, three)).toEqual(files)
    expect(await onEach(three, 'select pg_postmaster_start_time()::text')).toEqual(started)
  })

  it('has one raised that takes a restart, on the standbys first', async () => {
    const run = await shop.apply()
    expect(run.stdout.match(/✓ \w+: restart/g)).toEqual(['db2', 'db3', 'db1'].map((node) => `✓ ${node}: restart`))
    expect(await onEach(three, 'show max_connections')).toEqual(['137', '137', '137'])
    expect(await onEach(three, 'show work_mem')).toEqual(['9MB', '9MB', '9MB'])
    await expectAllRight(three)
  })

  it('has one lowered and another raised, each in its order, and nobody pauses', async () => {
    declare({
      nodes: three,
      parameters: [...parameters, 'work_mem: 9MB', 'max_connections: 90', 'max_wal_senders: 12'],
    })
    const run = await shop.apply()
    expect(run.stdout.match(/✓ \w+: restart/g)).toEqual(
      ['db2', 'db3', 'db1', 'db2', 'db3'].map((node) => `✓ ${node}: restart`),
    )
    expect(await onEach(three, 'show max_connections')).toEqual(['90', '90', '90'])
    expect(await onEach(three, 'show max_wal_senders')).toEqual(['12', '12', '12'])
    for (const node of ['db2', 'db3']) expect(serverLog(node)).not.toContain('insufficient parameter settings')
    await expectAllRight(three)
  })

  it('has one lowered while a standby is stopped', async () => {
    await stopServer(shop.data('db3'))
    declare({ nodes: three, parameters: [...parameters, 'work_mem: 9MB', 'max_connections: 60'] })
    await shop.apply()
    expect(await onEach(three, 'show max_connections')).toEqual(['60', '60', '60'])
    await expectAllRight(three)
  })

  it('has one that takes a restart in force once the servers were stopped', async () => {
    await Promise.all(three.map((node) => stopServer(shop.data(node))))
    declare({ nodes: three, parameters: [...parameters, 'work_mem: 9MB', 'max_connections: 137'] })
    await shop.apply()
    expect(await onEach(three, 'show max_connections')).toEqual(['137', '137', '137'])
    expect(await onEach(three, 'show work_mem')).toEqual(['9MB', '9MB', '9MB'])
    await expectAllRight(three)
  })

  it('has those of one node changed on that node alone', async () => {
    const text = readFileSync(shop.file('maestra.yaml'), 'utf8')
    const changed = text.replace('data: ./db2', 'data: ./db2, parameters: { work_mem: 11MB }')
    const loaded = await onEach(['db1', 'db3'], 'select pg_conf_load_time()::text')
    shop.write(changed)
    await shop.apply()
    expect(await onEach(three, 'show work_mem')).toEqual(['9MB', '11MB', '9MB'])
    expect(await onEach(['db1', 'db3'], 'select pg_conf_load_time()::text')).toEqual(loaded)
  })
}

function serverLog(node: string): string {
  return readFileSync(`${shop.data(node)}.log`, 'utf8')
}

function rejectedParameters(): void {
  it.each([
    ['a value', 'work_mem: 1 elephant', 'invalid value for parameter "work_mem": "1 elephant"'],
    ['a name', 'wrk_mem: 8MB', 'unrecognized configuration parameter "wrk_mem"'],
  ])('%s is not changed, however often it is tried', async (_what, line, words) => {
    const before = readFileSync(join(shop.data('db1'), 'maestra.conf'), 'utf8')
    const kept = [...parameters, 'max_connections: 137']
    declare({ nodes: three, parameters: [...kept, line] })
    for (const _time of [1, 2]) {
      const run = await shop.run(['apply', '--yes'])
      expect(run.code).toBe(1)
      expect(run.stderr).toMatch(/^Error: db\d would not start with these settings: /)
      expect(run.stderr).toContain(words)
      expect(readFileSync(join(shop.data('db1'), 'maestra.conf'), 'utf8')).toBe(before)
    }
    declare({ nodes: three, parameters: kept })
    await shop.apply()
    await expectAllRight(three)
  })
}
