import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { formatLsn } from '@maestra/client/postgres/lsn'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LocalHost } from '../../packages/maestra/src/host/local/local-host.js'
import { observeWal, observeWalToCompare } from '../../packages/maestra/src/server/observe-wal.js'
import { differenceFrom, type WalTail } from '../../packages/maestra/src/server/wal-tail.js'
import { ClusterFolder, type ClusterText, quickParameters } from '../harness/cluster-folder.js'
import { binOf, type Major } from '../harness/majors.js'
import { stopServer } from '../harness/servers.js'
import { sql, untilRows } from '../harness/sql.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

// One describe after the other: each opens its own.
let workspace: Workspace
let shop: ClusterFolder
let major: Major
let bin: string | undefined

const both = ['db1', 'db2']

/** As `shop.declare`, of this major. */
function declare(text: Partial<ClusterText> = {}): void {
  shop.declare({
    version: major.version,
    ...(bin !== undefined && { bin }),
    nodes: both,
    parameters: [...quickParameters, 'wal_retrieve_retry_interval: 100ms'],
    ...text,
  })
}

async function ask(node: string, text: string): Promise<unknown> {
  const [row] = await sql(shop.url(node), text)
  return Object.values(row ?? {})[0]
}

type PlannedStep = { readonly kind: string; readonly node: string; readonly why: string }

async function plannedSteps(): Promise<readonly PlannedStep[]> {
  return JSON.parse((await shop.run(['plan', '--json'])).stdout).steps
}

/** It is as declared, streams through its slot, and has what the primary has. */
async function expectHealed(): Promise<void> {
  expect((await shop.run(['plan'])).stdout).toBe('cluster shop: nothing to do\n')
  const text = `select s.slot_name, r.state from pg_replication_slots s join pg_stat_replication r on r.pid = s.active_pid`
  expect(await sql(shop.url('db1'), text)).toEqual([{ slot_name: 'db2', state: 'streaming' }])
}

/**
 * States that somebody else, or a long absence, left; each is brought on by one apply. Briefly: without what does not depend
 * on the major version of PostgreSQL.
 */
export function describeHeal(of: Major, { briefly = false } = {}): void {
  describe(`a cluster of PostgreSQL ${of.version} is healed`, () => {
    beforeAll(async () => {
      workspace = openWorkspace()
      major = of
      bin = await binOf(major, workspace)
      shop = await ClusterFolder.open(workspace, 'shop', both)
      declare()
      await shop.apply()
      await sql(shop.url('db1'), 'create table sale as select 1 as id')
    })

    afterAll(() => workspace.remove())

    describe('by what its WAL tells', positions)
    describe('when its replication role', role)
    describe('when its replica', replica)
    if (!briefly) describe('when its files', files)
    if (!briefly) describe('when two histories', histories)
  })
}

function positions(): void {
  const reached = {
    db1: 'select pg_current_wal_lsn()::text as lsn',
    db2: 'select pg_last_wal_receive_lsn()::text as lsn',
  } as const

  const { files: hostFiles } = new LocalHost()

  /** As if nobody could be asked. */
  async function seenOf(node: string): Promise<{ readonly end: string; readonly tail: WalTail | undefined }> {
    const { wal, tail } = await observeWalToCompare(hostFiles, shop.data(node), { kind: 'down' })
    if (wal.kind === 'unknown') throw new Error(wal.because)
    return { end: `${wal.timeline} ${formatLsn(wal.end)}`, tail }
  }

  it.each([
    ['a row', 'insert into sale values (1)'],
    ['many rows', 'insert into sale select generate_series(1, 60000)'],
    ['a row behind them', 'insert into sale values (1)'],
    ['a switch to the next segment', 'select pg_switch_wal()'],
    ['a row in that', 'insert into sale values (1)'],
    [
      'a row that is longer than a page',
      `insert into sale select 1 from (select pg_logical_emit_message(false, 'x', repeat('y', 50000))) as m`,
    ],
  ])('it is known to the byte how far each has come, after %s', async (_title, change) => {
    await sql(shop.url('db1'), change)
    const [{ lsn = '' } = {}] = await sql<{ lsn: string }>(shop.url('db1'), reached.db1)
    await untilRows(shop.url('db2'), reached.db2, [{ lsn }])
    await untilRows(shop.url('db1'), reached.db1, [{ lsn }])
    const own = await seenOf('db2')
    expect([(await seenOf('db1')).end, own.end]).toEqual([`1 ${lsn}`, `1 ${lsn}`])
    // And what is there before is the same.
    if (own.tail === undefined) throw new Error('nothing can be compared')
    expect(await differenceFrom(hostFiles, shop.data('db1'), own.tail)).toBe('same')
  })
}

function role(): void {
  const verifier = `select rolpassword from pg_authid where rolname = 'replicator'`

  it.each([
    ['has another password than the passfile', `alter role replicator password 'changed-by-hand'`],
    ['has no password', 'alter role replicator password null'],
    [
      'has its password as md5',
      () => `set password_encryption = 'md5'; alter role replicator password '${shop.passwords()[1]}'`,
    ],
    ['may not log in', 'alter role replicator nologin'],
    ['may not replicate', 'alter role replicator noreplication'],
  ])('%s: it gets what it lacks, and no password is shown', async (_title, change) => {
    await sql(shop.url('db1'), typeof change === 'string' ? change : change())
    expect(await plannedSteps()).toMatchObject([{ kind: 'create-replication-role', node: 'db1' }])
    const run = await shop.apply()
    for (const password of shop.passwords()) expect(run.stdout).not.toContain(password)
    const [user, password] = ['replicator', shop.passwords()[1]]
    const url = shop.url('db1').replace(/\/\/.*@/, `//${user}:${password}@`)
    expect(await sql(url, 'select current_user')).toEqual([{ current_user: 'replicator' }])
    expect(await ask('db1', verifier)).toMatch(/^SCRAM-SHA-256\$4096:/)
    await expectHealed()
  })

  it('is as it should be: its password is left as it is', async () => {
    const before = await ask('db1', verifier)
    expect((await shop.apply()).stdout).toBe('cluster shop: nothing to do\n')
    expect(await ask('db1', verifier)).toBe(before)
  })
}

/** Removes WAL that db2 needs from the primary, and with it what its slot is for. */
async function loseWal(beforeEach: () => void = () => {}): Promise<void> {
  await sql(shop.url('db1'), 'alter system set max_slot_wal_keep_size = 0')
  await sql(shop.url('db1'), 'select pg_reload_conf()')
  await untilRows(shop.url('db1'), 'show max_slot_wal_keep_size', [{ max_slot_wal_keep_size: '0' }])
  for (let segment = 0; segment < 3; segment += 1) {
    await sql(shop.url('db1'), 'insert into sale values (2)')
    await sql(shop.url('db1'), 'select pg_switch_wal()')
    beforeEach()
    await sql(shop.url('db1'), 'checkpoint')
  }
  await untilRows(shop.url('db1'), `select wal_status from pg_replication_slots where slot_name = 'db2'`, [
    { wal_status: 'lost' },
  ])
  await sql(shop.url('db1'), 'alter system reset max_slot_wal_keep_size')
  await sql(shop.url('db1'), 'select pg_reload_conf()')
  await untilRows(shop.url('db1'), 'show max_slot_wal_keep_size', [{ max_slot_wal_keep_size: '16GB' }])
}

async function kinds(args: readonly string[] = []): Promise<readonly string[]> {
  const plan = JSON.parse((await shop.run(['plan', '--json', ...args])).stdout)
  return plan.steps.map((step: PlannedStep) => step.kind)
}

/** Names beside the data of db2 that hold data of before. */
function aside(): readonly string[] {
  return readdirSync(shop.directory).filter((name) => /^db2\.before-\d{8}T\d{6}Z$/.test(name))
}

async function expectSameRows(): Promise<void> {
  const count = 'select count(*)::int from sale'
  expect(await ask('db2', count)).toBe(await ask('db1', count))
}

function replica(): void {
  const anew = ['move-aside', 'replace-slot', 'copy-primary', 'start', 'await-streaming']

  it('has lost its slot and the primary still has the WAL: the slot is replaced, and it goes on with its data', async () => {
    const inode = statSync(shop.data('db2')).ino
    await stopServer(shop.data('db2'))
    const wal = `${shop.data('db1')}/pg_wal`
    const kept = workspace.folder('kept-wal')
    await loseWal(() => cpSync(wal, kept, { recursive: true }))
    // It is put back while the primary is stopped: a running one remembers that it has removed it.
    await stopServer(shop.data('db1'))
    const missing = readdirSync(kept).filter((name) => !existsSync(`${wal}/${name}`))
    expect(missing.length).toBeGreaterThan(0)
    const owner = statSync(wal)
    for (const name of missing) {
      cpSync(`${kept}/${name}`, `${wal}/${name}`)
      chownSync(`${wal}/${name}`, owner.uid, owner.gid)
    }
    expect(await kinds()).toEqual(['start', 'create-replication-role', 'create-slot', 'start', 'await-streaming'])
    await shop.apply()
    await expectHealed()
    await expectSameRows()
    expect(statSync(shop.data('db2')).ino).toBe(inode)
    expect(aside()).toEqual([])
  })

  it('has no slot any more and the primary still has the WAL: it gets one, and goes on with its data', async () => {
    const inode = statSync(shop.data('db2')).ino
    await stopServer(shop.data('db2'))
    await untilRows(shop.url('db1'), 'select active from pg_replication_slots', [{ active: false }])
    await sql(shop.url('db1'), `select pg_drop_replication_slot('db2')`)
    await sql(shop.url('db1'), 'insert into sale values (3)')
    expect(await kinds()).toEqual(['create-slot', 'start', 'await-streaming'])
    await shop.apply()
    await expectHealed()
    await expectSameRows()
    expect(statSync(shop.data('db2')).ino).toBe(inode)
  })

  it('has lost its WAL and nothing has it: its data are moved aside, and it is copied anew', async () => {
    const inode = statSync(shop.data('db2')).ino
    await stopServer(shop.data('db2'))
    await loseWal()
    const plan = await shop.run(['plan'])
    expect(plan.stdout).toMatch(
      /1\. db2: move its data aside \[replaces data\]\n +it cannot catch up: db2 goes on from 0\/\w+, and db1 has WAL from 0\/\w+ on; its data are kept as .*db2\.before-<time in UTC>, which nothing deletes\n/,
    )
    expect(await kinds()).toEqual(anew)
    await shop.apply()
    await expectHealed()
    await expectSameRows()
    expect(aside().map((name) => statSync(shop.file(name)).ino)).toEqual([inode])
    expect(existsSync(shop.file(`${aside()[0]}/global/pg_control`))).toBe(true)
    rmSync(shop.file(aside()[0] ?? ''), { recursive: true })
  })

  it('runs and has lost its WAL: it is stopped first, and the plan says that connections are interrupted', async () => {
    // Not frozen: its WAL sender could not end, with a full socket before it, and would hold its slot.
    await sql(shop.url('db2'), `alter system set primary_conninfo = ''`)
    await sql(shop.url('db2'), 'select pg_reload_conf()')
    await untilRows(shop.url('db2'), 'select count(*)::int as n from pg_stat_wal_receiver', [{ n: 0 }])
    await loseWal()
    await sql(shop.url('db2'), 'alter system reset primary_conninfo')
    await sql(shop.url('db2'), 'select pg_reload_conf()')
    await untilRows(
      shop.url('db2'),
      `select setting <> '' as follows from pg_settings where name = 'primary_conninfo'`,
      [{ follows: true }],
    )
    await untilRows(
      shop.url('db2'),
      'select count(*)::int as n from pg_stat_wal_receiver where status = $$streaming$$',
      [{ n: 0 }],
    )
    const plan = await shop.run(['plan'])
    expect(plan.stdout).toContain('1. db2: move its data aside [interrupts connections] [replaces data]')
    await shop.apply()
    await expectHealed()
    await expectSameRows()
    rmSync(shop.file(aside()[0] ?? ''), { recursive: true })
  })

  it('has lost its WAL and a file that its own one includes restores it: it keeps its data, and catches up', async () => {
    const inode = statSync(shop.data('db2')).ino
    await stopServer(shop.data('db2'))
    const kept = shop.file('kept')
    await loseWal(() => cpSync(`${shop.data('db1')}/pg_wal`, kept, { recursive: true }))
    execFileSync('chmod', ['-R', 'a+rX', kept])
    const conf = join(shop.data('db2'), 'postgresql.conf')
    const before = readFileSync(conf, 'utf8')
    writeFileSync(conf, `include_dir 'conf.d'\n${before}`)
    mkdirSync(join(shop.data('db2'), 'conf.d'))
    writeFileSync(join(shop.data('db2'), 'conf.d', 'restore.conf'), `restore_command = 'cp ${kept}/%f %p'\n`)
    execFileSync('chmod', ['-R', 'a+rX', join(shop.data('db2'), 'conf.d')])
    expect(await kinds()).toEqual(['replace-slot', 'start', 'await-streaming'])
    await shop.apply()
    await expectHealed()
    await expectSameRows()
    expect(statSync(shop.data('db2')).ino).toBe(inode)
    writeFileSync(conf, before)
    rmSync(join(shop.data('db2'), 'conf.d'), { recursive: true })
    rmSync(kept, { recursive: true })
    await sql(shop.url('db2'), 'select pg_reload_conf()')
  })

  it('has lost its WAL before there was an archive, which is declared now: it is copied anew', async () => {
    const inode = statSync(shop.data('db2')).ino
    await stopServer(shop.data('db2'))
    await loseWal()
    declare({ more: ['archive: { directory: ./archive }'] })
    expect(await kinds()).toEqual(expect.arrayContaining(['create-archive', ...anew]))
    expect(await shop.apply()).toMatchObject({ code: 0 })
    await expectHealed()
    await expectSameRows()
    expect(aside().map((name) => statSync(shop.file(name)).ino)).toEqual([inode])
    rmSync(shop.file(aside()[0] ?? ''), { recursive: true })
    // Nothing that it needs comes into the archive any more, while that is there.
    await stopServer(shop.data('db2'))
    await loseWal()
    rmSync(shop.file('archive'), { recursive: true })
    mkdirSync(shop.file('archive'), { mode: 0o777 })
    chmodSync(shop.file('archive'), 0o777)
    expect(await kinds()).toEqual(anew)
    await shop.apply()
    await expectHealed()
    await expectSameRows()
    rmSync(shop.file(aside()[0] ?? ''), { recursive: true })
    declare()
    await shop.apply()
    rmSync(shop.file('archive'), { recursive: true })
  })

  it('has lost its WAL and an archive has it: it keeps its data, and catches up from there', async () => {
    declare({ more: ['archive: { directory: ./archive }'] })
    await shop.apply()
    const inode = statSync(shop.data('db2')).ino
    await stopServer(shop.data('db2'))
    await loseWal()
    expect(await kinds()).toEqual(['replace-slot', 'start', 'await-streaming'])
    await shop.apply()
    await expectHealed()
    await expectSameRows()
    expect(statSync(shop.data('db2')).ino).toBe(inode)
    expect(aside()).toEqual([])
    declare()
    await shop.apply()
  })
}

function files(): void {
  function edit(node: string, file: string, change: (text: string) => string): void {
    const path = join(shop.data(node), file)
    writeFileSync(path, change(readFileSync(path, 'utf8')))
  }

  it('lead to a wrong address of the right primary: they are written, and it streams', async () => {
    const port = `port=${shop.port('db1')}`
    edit('db2', 'maestra.conf', (text) => text.replace(port, 'port=1'))
    await sql(shop.url('db2'), 'select pg_reload_conf()')
    await untilRows(shop.url('db2'), `select count(*)::int as n from pg_stat_wal_receiver where status = 'streaming'`, [
      { n: 0 },
    ])
    expect(await kinds()).toEqual(['write-configuration', 'reload', 'await-streaming'])
    await shop.apply()
    await expectHealed()
  })

  it('lack the lines that let the replica in: they are written, and it streams', async () => {
    edit('db1', 'pg_hba.conf', (text) => text.replace(/^# BEGIN maestra[\s\S]*^# END maestra.*\n/m, ''))
    await sql(shop.url('db1'), 'select pg_reload_conf()')
    await stopServer(shop.data('db2'))
    expect(await kinds()).toEqual(['write-configuration', 'reload', 'start', 'await-streaming'])
    await shop.apply()
    await expectHealed()
    const rules = `select count(*)::int from pg_hba_file_rules where 'replicator' = any (user_name)`
    expect(await ask('db1', rules)).toBeGreaterThan(0)
  })
}

function histories(): void {
  async function refusals(): Promise<readonly string[]> {
    const run = await shop.run(['plan', '--json'])
    expect(run.code).toBe(1)
    return JSON.parse(run.stdout).refusals.map((each: { message: string }) => each.message)
  }

  /** A replica is made anew where somebody asks for it, and its data of before are there. */
  async function expectReplaced(): Promise<void> {
    const inode = statSync(shop.data('db2')).ino
    expect((await kinds(['--replace', 'db2'])).filter((kind) => kind !== 'create-slot')).toContain('move-aside')
    const run = await shop.run(['apply', '--yes', '--replace', 'db2'])
    expect(run).toMatchObject({ code: 0, stderr: '' })
    await expectHealed()
    await expectSameRows()
    expect(aside().map((name) => statSync(shop.file(name)).ino)).toEqual([inode])
    rmSync(shop.file(aside()[0] ?? ''), { recursive: true })
  }

  /** Has db1 be what it was before db2 got some more rows; both are stopped. */
  async function takePrimaryBack(): Promise<void> {
    await stopServer(shop.data('db2'))
    await stopServer(shop.data('db1'))
    const before = `${shop.data('db1')}-of-before`
    execFileSync('cp', ['-a', shop.data('db1'), before])
    await shop.apply()
    await sql(shop.url('db1'), 'insert into sale select generate_series(1, 5000)')
    const [{ n } = { n: 0 }] = await sql<{ n: number }>(shop.url('db1'), 'select count(*)::int as n from sale')
    await untilRows(shop.url('db2'), 'select count(*)::int as n from sale', [{ n }])
    await stopServer(shop.data('db2'))
    await stopServer(shop.data('db1'))
    rmSync(shop.data('db1'), { recursive: true })
    renameSync(before, shop.data('db1'))
  }

  it('part because the primary went back: the replica is refused with both positions, also while both are stopped', async () => {
    await takePrimaryBack()
    const words =
      /^db2: it has diverged from db1: db2 is on timeline 1 at 0\/\w+, db1 is on timeline 1 at 0\/\w+: db2 has [\d.]+ [kM]B of WAL that db1 never had/
    expect(await refusals()).toEqual([expect.stringMatching(words)])
    await expectReplaced()
  })

  it('part because the primary went back, and it has overtaken the replica: that is refused before it is started', async () => {
    await takePrimaryBack()
    const own = await observeWal(new LocalHost().files, shop.data('db2'), { kind: 'down' })
    if (own.kind === 'unknown') throw new Error(own.because)
    declare({ nodes: ['db1'] })
    await shop.apply()
    declare()
    await sql(shop.url('db1'), 'insert into sale select generate_series(1, 60000)')
    expect(await ask('db1', `select pg_current_wal_lsn() > '${formatLsn(own.end)}'`)).toBe(true)
    const words =
      /^db2: it has diverged from db1: db2 is on timeline 1 at 0\/\w+, db1 is on timeline 1 at 0\/\w+: at 0\/\w+ db1 has other WAL than db2$/
    expect(await refusals()).toEqual([expect.stringMatching(words)])
    await stopServer(shop.data('db1'))
    expect(await refusals()).toEqual([expect.stringMatching(words)])
    await expectReplaced()
  })

  it('part because the replica was promoted: it is not touched while it runs, and told when it parted', async () => {
    await sql(shop.url('db2'), 'select pg_promote()')
    await sql(shop.url('db2'), 'insert into sale select generate_series(1, 100)')
    await sql(shop.url('db1'), 'insert into sale values (4)')
    const parted =
      /runs as a primary on timeline 2 at 0\/\w+: db2 is on timeline 2 at 0\/\w+, having left timeline 1 at 0\/\w+, db1 is on timeline 1 at 0\/\w+: db2 has [\d.]+ k?B of WAL that db1 never had, and db1 [\d.]+ k?B that db2 has not$/
    expect(await refusals()).toEqual([expect.stringMatching(parted)])
    for (const [node, words] of [
      ['db1', 'db1: it is declared as the primary, and only standbys are made anew'],
      ['db2', 'a server that is no standby of this cluster runs on them'],
      ['db9', 'cluster shop has no node of that name'],
    ] as const) {
      const run = await shop.run(['apply', '--yes', '--replace', node])
      expect(run.code).toBe(1)
      expect(run.stdout).toContain(words)
    }
    expect(aside()).toEqual([])
  })

  it('part, and the promoted one is told to be a standby again: what it has is not of its primary', async () => {
    await stopServer(shop.data('db2'))
    writeFileSync(`${shop.data('db2')}/standby.signal`, '')
    const words =
      /^db2: it has diverged from db1: db2 is on timeline 2 at 0\/\w+, having left timeline 1 at 0\/\w+, db1 is on/
    expect(await refusals()).toEqual([expect.stringMatching(words)])
    await expectReplaced()
  })

  it('are one, and the primary has a tablespace: no data are moved aside for a copy that would be refused', async () => {
    await stopServer(shop.data('db2'))
    const space = workspace.folder('fast')
    const { uid, gid } = statSync(shop.data('db1'))
    chownSync(space, uid, gid)
    await sql(shop.url('db1'), `create tablespace "Fast" location '${space}'`)
    const run = await shop.run(['apply', '--yes', '--replace', 'db2'])
    expect(run.code).toBe(1)
    expect(run.stdout).toContain(`refused  db2: db1 has the tablespace Fast at ${space}, outside of its data directory`)
    expect(run.stdout).toContain('tablespace \\"Fast\\" set')
    // PostgreSQL cannot tell the place of one whose directory is away; the server is asked all the same.
    renameSync(space, `${space}-away`)
    const words = 'db2: db1 has the tablespace Fast at / (its directory is missing), outside of its data directory'
    const replace = JSON.parse((await shop.run(['plan', '--json', '--replace', 'db2'])).stdout)
    expect(replace.refusals.map((each: { message: string }) => each.message)).toEqual([expect.stringContaining(words)])
    renameSync(`${space}-away`, space)
    expect(aside()).toEqual([])
    expect(existsSync(`${shop.data('db2')}/global/pg_control`)).toBe(true)
    await sql(shop.url('db1'), 'drop tablespace "Fast"')
    await shop.apply()
    await expectHealed()
  })

  it('are one: a replica that is well is made anew too, when somebody asks for it', async () => {
    await expectReplaced()
  })
}
