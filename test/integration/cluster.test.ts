import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ClusterFolder } from '../harness/cluster-folder.js'
import { newest } from '../harness/majors.js'
import { sql } from '../harness/sql.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'
import { describeCluster } from './cluster.suite.js'

describeCluster(newest)

const two = ['db1', 'db2']
let workspace: Workspace

beforeAll(() => {
  workspace = openWorkspace()
})

afterAll(() => workspace.remove())

describe('replication without passwords', () => {
  it('is set up where the file says trust in so many words', async () => {
    const lab = await ClusterFolder.open(workspace, 'lab', two)
    lab.declare({ nodes: two, more: ['replication: { authentication: trust }'] })
    await lab.apply()
    const status = await lab.status()
    expect(status.nodes.map((node) => node.state)).toEqual(['running', 'streaming'])
    expect((await lab.run(['plan', '--detailed-exitcode'])).code).toBe(0)
    const rules = await sql(
      lab.url('db1'),
      `select auth_method, database, user_name from pg_hba_file_rules where auth_method <> 'scram-sha-256'`,
    )
    expect(rules).toEqual([{ auth_method: 'trust', database: ['replication'], user_name: ['replicator'] }])
    expect(existsSync(join(lab.data('db2'), 'maestra.pgpass'))).toBe(false)
  })
})

describe('data directories with spaces, quotes and letters', () => {
  it('are followed through, from the passfile to the WAL receiver', async () => {
    const odd = await ClusterFolder.open(workspace, "d 1 d'été", two)
    odd.declare({ nodes: two, data: { db1: `"./zwei ü 'x'/db1"`, db2: `"./zwei ü 'x'/db2"` } })
    await odd.apply()
    expect((await odd.status()).nodes.map((node) => node.state)).toEqual(['running', 'streaming'])
    expect((await odd.run(['plan', '--detailed-exitcode'])).code).toBe(0)
  })
})
