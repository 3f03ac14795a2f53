import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ClusterFolder, type ClusterText, quickParameters } from '../harness/cluster-folder.js'
import { binOf, type Major } from '../harness/majors.js'
import { sql } from '../harness/sql.js'
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
    parameters: quickParameters,
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

/** States that somebody else, or a long absence, left; each is brought on by one apply. */
export function describeHeal(of: Major): void {
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

    describe('when its replication role', role)
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
