import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Secret } from '@maestra/client/base/secret'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dropPhysicalSlot } from '../../packages/maestra/src/server/replication-slot.js'
import { ClusterFolder } from '../harness/cluster-folder.js'
import { runningServer, stopServer } from '../harness/servers.js'
import { sql, untilRows } from '../harness/sql.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

let workspace: Workspace
let shop: ClusterFolder
let first: string

beforeAll(async () => {
  workspace = openWorkspace()
  shop = await ClusterFolder.open(workspace, 'shop', ['db1', 'db-2'])
  shop.declare({ nodes: ['db1'] })
  first = fileText().replace('nodes:\n', 'nodes:\n  # mine\n').replace('fsync: off', 'fsync:   "off"  # quick')
  shop.write(first)
  await shop.apply()
})

afterAll(() => workspace.remove())

function fileText(): string {
  return readFileSync(shop.file('maestra.yaml'), 'utf8')
}

async function slots(): Promise<readonly unknown[]> {
  const rows = await sql(shop.url('db1'), 'select slot_name from pg_replication_slots order by 1')
  return rows.map((row) => row['slot_name'])
}

async function stepTitles(): Promise<readonly string[]> {
  const plan = JSON.parse((await shop.run(['plan', '--json'])).stdout)
  return plan.steps.map((step: { kind: string; node: string }) => `${step.kind} ${step.node}`)
}

describe('a replica that is added', () => {
  it('stands in the file beside the others, and nothing else in it has changed', async () => {
    const port = shop.port('db-2')
    const run = await shop.run(['add', 'replica', 'db-2', '--port', String(port)])
    expect(run).toEqual({
      code: 0,
      stdout: `db-2 was added to ${shop.file('maestra.yaml')}: 127.0.0.1:${port}, data in ${shop.data('db-2')}\nNext: npx maestra plan\n`,
      stderr: '',
    })
    expect(fileText()).toBe(
      first.replace('parameters:', `  - { name: db-2, port: ${port}, data: ./db-2 }\nparameters:`),
    )
  })

  it.each([
    [['db1'], 'cluster shop has a node db1 already'],
    [['db_2'], 'would share the replication slot db_2'],
    [['Db3', '--port', '0'], 'would have 2 errors, so it was not changed'],
    [['db3', '--data', './db1/db3'], 'lies inside that of node db1'],
  ])('is refused before anything is written when it would be %j', async (args, words) => {
    const before = fileText()
    const { ino, mtimeMs } = statSync(shop.file('maestra.yaml'))
    const run = await shop.run(['add', 'replica', ...args])
    expect(run).toMatchObject({ code: 2, stdout: '' })
    expect(run.stderr).toContain(words)
    expect(fileText()).toBe(before)
    expect(statSync(shop.file('maestra.yaml'))).toMatchObject({ ino, mtimeMs })
  })

  it('streams after the next apply, which the primary has written down', async () => {
    await shop.apply()
    expect((await shop.status()).nodes.map((node) => node.state)).toEqual(['running', 'streaming'])
    expect(await slots()).toEqual(['db_2'])
    expect(await sql(shop.url('db1'), 'show maestra.standbys')).toEqual([{ 'maestra.standbys': 'db-2' }])
  })
})

describe('a replica that is removed', () => {
  it.each([
    ['db1', 'db1 is declared as the primary of cluster shop'],
    ['db9', 'cluster shop has no node db9; it has db1, db-2'],
  ])('is none that is called %s', async (name, words) => {
    const before = fileText()
    const run = await shop.run(['remove', name])
    expect(run).toMatchObject({ code: 2, stdout: '' })
    expect(run.stderr).toContain(words)
    expect(fileText()).toBe(before)
  })

  it('is out of the file, and what stays is named', async () => {
    const run = await shop.run(['remove', 'db-2'])
    expect(run).toMatchObject({ code: 0, stderr: '' })
    expect(run.stdout.split('\n')).toEqual([
      `db-2 was taken out of ${shop.file('maestra.yaml')}`,
      `its data stay in ${shop.data('db-2')}`,
      `its server still runs; stop it before the next apply (kill -INT ${runningServer(shop.data('db-2'))})`,
      'the next apply drops its replication slot on db1',
      'Next: npx maestra plan',
      '',
    ])
    expect(fileText()).toBe(first)
  })

  it('keeps its slot while it streams: apply refuses, and says what to do', async () => {
    const run = await shop.run(['apply', '--yes'])
    expect(run.code).toBe(1)
    expect(run.stdout).toMatch(
      /refused {2}db-2: it is not declared any more and still streams from db1 through its slot db_2\n {2}Try: stop its server first/,
    )
    expect(await slots()).toEqual(['db_2'])
  })

  it('keeps its slot also when it comes back between the plan and the step', async () => {
    const login = { node: 'db1', host: '127.0.0.1', port: shop.port('db1'), user: 'postgres' }
    const password = new Secret(shop.passwords()[0] ?? '')
    const drop = (slot: string) => dropPhysicalSlot({ ...login, password }, { slot, standby: 'db-2' })
    await expect(drop('db_2')).rejects.toMatchObject({
      code: 'plan-refused',
      message: 'db-2 still streams from db1 through the slot db_2',
    })
    await drop('gone_already')
    expect(await slots()).toEqual(['db_2'])
  })

  it('loses its slot by the next apply once it is stopped, its data stay, and the primary runs on', async () => {
    const started = await sql(shop.url('db1'), 'select pg_postmaster_start_time()::text')
    await stopServer(shop.data('db-2'))
    const inactive = `select active from pg_replication_slots where slot_name = 'db_2'`
    await untilRows(shop.url('db1'), inactive, [{ active: false }])
    expect(await stepTitles()).toEqual(['drop-slot db1', 'write-configuration db1', 'reload db1'])
    const plan = await shop.run(['plan'])
    expect(plan.stdout).toContain('db-2 is not declared any more')
    expect(plan.stdout + plan.stderr).not.toContain('Warning')
    await shop.apply()
    expect(await slots()).toEqual([])
    expect(existsSync(join(shop.data('db-2'), 'PG_VERSION'))).toBe(true)
    expect(await sql(shop.url('db1'), 'select pg_postmaster_start_time()::text')).toEqual(started)
    expect((await shop.apply()).stdout).toBe('cluster shop: nothing to do\n')
  })

  it('comes back with its data while the primary has the WAL that it needs', async () => {
    await shop.run(['add', 'replica', 'db-2', '--port', String(shop.port('db-2'))])
    expect(await stepTitles()).not.toContain('copy-primary db-2')
    await shop.apply()
    expect((await shop.status()).nodes.map((node) => node.state)).toEqual(['running', 'streaming'])
  })

  it('loses its slot also when its primary is stopped: as soon as that runs', async () => {
    await shop.run(['remove', 'db-2'])
    await stopServer(shop.data('db-2'))
    await stopServer(shop.data('db1'))
    // The passwords for db-2 go at once, the name of db-2 when its slot is gone.
    expect(await stepTitles()).toEqual([
      'write-configuration db1',
      'start db1',
      'drop-slot db1',
      'create-replication-role db1',
      'write-configuration db1',
      'reload db1',
    ])
    await shop.apply()
    expect(await slots()).toEqual([])
    expect((await shop.apply()).stdout).toBe('cluster shop: nothing to do\n')
  })
})
