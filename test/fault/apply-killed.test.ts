import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ClusterFolder } from '../harness/cluster-folder.js'
import { maestra } from '../harness/maestra.js'
import { stopServer } from '../harness/servers.js'
import { sql, untilRows } from '../harness/sql.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

const script = fileURLToPath(new URL('apply-until.js', import.meta.url))
let workspace: Workspace
let shop: ClusterFolder

beforeAll(async () => {
  workspace = openWorkspace()
  shop = await ClusterFolder.open(workspace, 'shop', ['db1', 'db2'])
})

afterAll(() => workspace.remove())

/** In the order of the steps: each run goes on from where the one before was killed. */
const moments: readonly (readonly [step: string, at: string])[] = [
  ['write-passfile', 'before write'],
  ['write-passfile', 'after write'],
  ['initialise db1', 'before run'],
  ['initialise db1', 'during run'],
  ['initialise db1', 'after run'],
  ['initialise db1', 'before rename'],
  ['initialise db1', 'after rename'],
  ['start db1', 'before startDaemon'],
  ['start db1', 'after startDaemon'],
  ['create-replication-role db1', 'started'],
  ['create-replication-role db1', '5 ms'],
  ['create-replication-role db1', 'ended'],
  ['create-slot db1', 'started'],
  ['create-slot db1', '5 ms'],
  ['create-slot db1', 'ended'],
  ['copy-primary db2', 'started'],
  ['copy-primary db2', 'progressed'],
  ['copy-primary db2', 'before rename'],
  ['copy-primary db2', 'after rename'],
  ['start db2', 'before startDaemon'],
  ['start db2', 'after startDaemon'],
  ['await-streaming db2', 'started'],
  ['await-streaming db2', 'ended'],
]

/** Nothing but what a cluster is made of, and what the one that was killed worked on. */
const known = /^(maestra\.(yaml|pgpass)|db[12](\.log|\.maestra-lock|\.maestra-incoming)?)$/

it.each(moments)('is not the worse for a kill in %s, %s', async (step, at) => {
  // A standby that a killed run started streams on its own, and would not be waited for.
  if (step.startsWith('await-streaming')) {
    await untilRows(shop.url('db2'), 'select 1 as one', [{ one: 1 }])
    await stopServer(shop.data('db2'))
  }
  const stop = JSON.stringify({ file: shop.file('maestra.yaml'), step, at })
  const run = await maestra(workspace, [stop], { script, cwd: shop.directory })
  expect(run).toMatchObject({ stderr: '' })
  // A step may be shorter than the time after which it was to be killed.
  expect(at.endsWith(' ms') ? [0, 137] : [137]).toContain(run.code)
  expect(readdirSync(shop.directory).filter((name) => !known.test(name.replace(/\.maestra-\d+-\d+$/, '')))).toEqual([])
  if (step === 'create-slot db1' && at === 'ended') await sql(shop.url('db1'), 'create table sale as select 1 as id')
})

it('ends as a cluster that is as declared, with its rows, and with nothing of the killed runs', async () => {
  // A lock that a killed run left is taken over by the next one that has something to do.
  await untilRows(shop.url('db2'), 'select 1 as one', [{ one: 1 }])
  await stopServer(shop.data('db2'))
  await shop.apply()
  expect((await shop.run(['plan', '--detailed-exitcode'])).code).toBe(0)
  await untilRows(shop.url('db2'), 'select id from sale', [{ id: 1 }])
  await sql(shop.url('db1'), 'insert into sale values (2)')
  await untilRows(shop.url('db2'), 'select count(*)::int from sale', [{ count: 2 }])
  expect(readdirSync(shop.directory)).toEqual(['db1', 'db1.log', 'db2', 'db2.log', 'maestra.pgpass', 'maestra.yaml'])
})
