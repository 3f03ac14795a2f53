import { chmodSync, cpSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { giveToPlainUser, isRoot, plainUser } from '../harness/as-user.js'
import { ClusterFolder } from '../harness/cluster-folder.js'
import { stopServer } from '../harness/servers.js'
import { sql, untilRows } from '../harness/sql.js'
import { treeOf } from '../harness/tree.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

const two = ['db1', 'db2']
let workspace: Workspace
/** Stopped, so that its data can be copied. */
let shop: ClusterFolder
/** Another cluster with the same names. */
let twin: ClusterFolder

beforeAll(async () => {
  workspace = openWorkspace()
  shop = await ClusterFolder.open(workspace, 'shop', two)
  twin = await ClusterFolder.open(workspace, 'twin', two)
  await shop.apply()
  await Promise.all(two.map((node) => stopServer(shop.data(node))))
  twin.declare({ nodes: ['db1'] })
  await twin.apply()
})

afterAll(() => workspace.remove())

/** Apply and plan both refuse, in words that match, and change not one byte. */
async function expectRefused(cluster: ClusterFolder, words: RegExp): Promise<void> {
  const stopped = await cluster.status().then((status) => status.nodes.every((node) => node.version === null))
  const before = stopped ? treeOf(cluster.directory) : readdirSync(cluster.directory)
  for (const args of [['plan'], ['apply', '--yes']]) {
    const run = await cluster.run(args)
    expect(run.stdout).toMatch(words)
    expect(run).toMatchObject({ code: 1, stderr: '' })
  }
  expect(stopped ? treeOf(cluster.directory) : readdirSync(cluster.directory)).toEqual(before)
}

describe('a data directory that is in the way is refused, and keeps every byte:', () => {
  let lab: ClusterFolder
  beforeAll(async () => {
    lab = await ClusterFolder.open(workspace, 'lab', two)
  })

  afterEach(() => {
    for (const node of two) rmSync(lab.data(node), { recursive: true, force: true })
  })

  it('files that are no database', async () => {
    mkdirSync(lab.data('db1'))
    writeFileSync(join(lab.data('db1'), 'letters.txt'), 'dear reader')
    await expectRefused(lab, /refused +db1: .*in the way.*letters\.txt/)
  })

  it('a file', async () => {
    writeFileSync(lab.data('db2'), 'dear reader')
    await expectRefused(lab, /refused +db2: .*in the way.*not a directory/)
  })

  it('a server that Maestra did not make', async () => {
    cpSync(shop.data('db1'), lab.data('db1'), { recursive: true, preserveTimestamps: true })
    for (const file of ['maestra.conf', 'maestra.pgpass']) rmSync(join(lab.data('db1'), file), { force: true })
    for (const file of ['postgresql.conf', 'pg_hba.conf']) writeFileSync(join(lab.data('db1'), file), '# mine\n')
    await expectRefused(lab, /refused +db1: .*in the way.*Maestra did not make/)
  })

  it('the data of another node', async () => {
    cpSync(shop.data('db2'), lab.data('db1'), { recursive: true, preserveTimestamps: true })
    await expectRefused(lab, /refused +db1: .*in the way: .*made for node db2/)
  })

  it('the data of another cluster', async () => {
    cpSync(shop.data('db1'), lab.data('db1'), { recursive: true, preserveTimestamps: true })
    lab.declare({ nodes: two, cluster: 'lab' })
    await expectRefused(lab, /refused +db1: .*made for db1 of cluster shop, and this cluster is named lab/)
  })

  it('what a step would fill, if Maestra did not make it', async () => {
    lab.declare({ nodes: ['db1'] })
    const incoming = `${lab.data('db1')}.maestra-incoming`
    mkdirSync(incoming)
    writeFileSync(join(incoming, 'letters.txt'), 'dear reader')
    const before = treeOf(incoming)
    const run = await lab.run(['apply', '--yes'])
    expect(run.code).toBe(1)
    expect(run.stderr).toMatch(/maestra-incoming is in the way: it holds letters\.txt/)
    expect(treeOf(incoming)).toBe(before)
    expect(readdirSync(lab.directory)).not.toContain('db1')
  })
})

describe('the data of a standby', () => {
  it('of another system is refused', async () => {
    cpSync(shop.data('db2'), twin.data('db2'), { recursive: true, preserveTimestamps: true })
    twin.declare({ nodes: two })
    const before = treeOf(twin.data('db2'))
    await expectRefused(twin, /refused +db2: .*of system \d+ .*, and the primary db1 of system \d+ /)
    expect(treeOf(twin.data('db2'))).toBe(before)
  })

  it('is not taken for nothing when the data of the primary is gone', async () => {
    renameSync(shop.data('db1'), shop.file('hidden'))
    await expectRefused(shop, /refused +db1: .*db1 is gone, while db2 still holds data/)
    renameSync(shop.file('hidden'), shop.data('db1'))
    await shop.apply()
  })

  it('that was promoted is refused, with the reason, while it runs and when it is stopped', async () => {
    await sql(shop.url('db2'), 'select pg_promote()')
    await untilRows(shop.url('db2'), 'select pg_is_in_recovery() as standby', [{ standby: false }])
    await sql(shop.url('db2'), 'create table own as select 1 as id')
    await expectRefused(shop, /refused +db2: it is declared as a standby and .*\n.*promoted\?/)
    await stopServer(shop.data('db2'))
    await expectRefused(shop, /refused +db2: it is declared as a standby and .*\n.*promoted\?/)
  })
})

describe('a data directory that cannot be reached', () => {
  it('is unknown, not absent, when it cannot be read', async () => {
    const closed = await ClusterFolder.open(workspace, 'closed', ['db1'])
    mkdirSync(closed.data('db1'), { mode: 0o000 })
    const run = await closed.run(['apply', '--yes'], { user: plainUser, env: privateEnv('unread') })
    expect(run.stdout).toMatch(/unknown +db1: what .*db1 holds is unknown, because .*permission denied/)
    expect(run.code).toBe(1)
    chmodSync(closed.data('db1'), 0o700)
    expect(readdirSync(closed.directory)).toEqual(['db1', 'maestra.yaml'])
  })

  it('is refused with the folder that is closed, where the server runs as another account', async () => {
    const closed = await ClusterFolder.open(workspace, 'own-folder', ['db1'])
    chmodSync(closed.directory, 0o700)
    const run = await closed.run(['plan'])
    // Root lends itself to another account, which the folder of root keeps out; any other user enters its own.
    const words = isRoot ? new RegExp(`unknown +db1: .*cannot enter ${closed.directory}\\b`) : /start its server/
    expect(run.stdout).toMatch(words)
    expect(run.code).toBe(isRoot ? 1 : 0)
  })

  it('is named when its folder is read-only', async () => {
    const fixed = await ClusterFolder.open(workspace, 'fixed', ['db1'])
    giveToPlainUser(fixed.directory, fixed.file('maestra.yaml'))
    chmodSync(fixed.directory, 0o555)
    const run = await fixed.run(['apply', '--yes'], { user: plainUser, env: privateEnv('fixed-cache') })
    expect(run.code).toBe(1)
    expect(run.stderr).toMatch(new RegExp(`Error: cannot .*${fixed.directory}.*: permission denied`))
    expect(readdirSync(fixed.directory)).toEqual(['maestra.yaml'])
    chmodSync(fixed.directory, 0o755)
  })
})

/** With a cache that the plain user can make. */
function privateEnv(name: string): Readonly<Record<string, string>> {
  const folder = workspace.folder(name)
  giveToPlainUser(folder)
  return { ...workspace.env, MAESTRA_CACHE: join(folder, 'cache'), TMPDIR: folder, HOME: folder }
}
