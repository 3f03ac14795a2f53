import { chmodSync, readdirSync, statSync } from 'node:fs'
import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ClusterFolder, quickParameters } from '../harness/cluster-folder.js'
import { refusal, sql, untilRows } from '../harness/sql.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

let workspace: Workspace
let page: ClusterFolder
let archive: string

beforeAll(async () => {
  workspace = openWorkspace()
  page = await ClusterFolder.open(workspace, 'page', ['db1', 'db2'])
  archive = workspace.folder('archive')
  // The account that servers run as is not always the one of the test.
  chmodSync(archive, 0o777)
  page.declare({
    nodes: ['db1', 'db2'],
    parameters: [
      ...quickParameters,
      'wal_level: hot_standby',
      'max_wal_senders: 1',
      'archive_mode: on',
      // A segment that is there already is taken for archived only when it is the same.
      `archive_command: 'if test -f ${archive}/%f; then cmp -s %p ${archive}/%f; else cp %p ${archive}/%f.new && mv ${archive}/%f.new ${archive}/%f; fi'`,
      'hot_standby: on',
    ],
    more: ['replication: { authentication: trust }'],
  })
  await page.apply()
})

afterAll(() => workspace.remove())

const primary = () => page.url('db1')
const replica = () => page.url('db2')

describe('the page that people follow, as a cluster file', () => {
  it('is there after one apply, and a second look finds nothing to do', async () => {
    expect((await page.run(['plan', '--detailed-exitcode'])).code).toBe(0)
    expect((await page.status()).nodes.map((node) => node.state)).toEqual(['running', 'streaming'])
    // The name of before 9.6 is taken for the one that it stands for.
    expect(await sql(primary(), 'show wal_level')).toEqual([{ wal_level: 'replica' }])
    expect(await sql(primary(), 'show max_wal_senders')).toEqual([{ max_wal_senders: '1' }])
  })

  it('lets replication in without a password, and nobody else', async () => {
    const rules = await sql(
      primary(),
      `select database, user_name, auth_method from pg_hba_file_rules where 'trust' = auth_method`,
    )
    expect(rules).toEqual([{ database: ['replication'], user_name: ['replicator'], auth_method: 'trust' }])
  })

  it('shows rows of the primary on the replica, which refuses to be written to', async () => {
    await sql(primary(), `create table sale as select 'té' as item`)
    await untilRows(replica(), 'select item from sale', [{ item: 'té' }])
    expect(await refusal(replica(), `insert into sale values ('café')`)).toBe('25006')
  })

  it('lets a role that was made on the primary log in on the replica, by its password', async () => {
    await sql(primary(), `create role shop login password 'de la tienda'`)
    const url = new URL(replica())
    url.username = 'shop'
    url.password = 'de la tienda'
    await untilRows(url.href, 'select current_user::text as who', [{ who: 'shop' }])
    url.password = 'otra'
    expect(await refusal(url.href, 'select')).toBe('28P01')
  })

  it('archives a segment when it is switched', async () => {
    const [row] = await sql<{ name: string }>(primary(), 'select pg_walfile_name(pg_switch_wal()) as name')
    const name = row?.name ?? ''
    await waitUntil(
      () => {
        const seen = readdirSync(archive)
        return seen.includes(name) ? { done: true, value: undefined } : { done: false, seen: seen.join(', ') }
      },
      { awaited: `${name} to be archived`, deadline: Deadline.after(20_000) },
    )
    expect(statSync(`${archive}/${name}`).size).toBe(16 * 1024 * 1024)
  })
})
