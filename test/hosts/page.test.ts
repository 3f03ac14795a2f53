import { execFile } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pageClusterText } from '../harness/page-cluster.js'
import { runningServer, stopServer } from '../harness/servers.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'
import { type Answer, ask, askUntil } from './ask.js'
import { Namespaces, networkOf } from './namespaces.js'

const script = fileURLToPath(new URL('apply-on-hosts.js', import.meta.url))
const [one, two, three] = [1, 2, 3]

let workspace: Workspace
let hosts: Namespaces
let folder: string
/** Of the superuser, from the passfile of the cluster. */
let password: string

beforeAll(async () => {
  workspace = openWorkspace()
  folder = workspace.folder('page')
  hosts = Namespaces.make(3)
  writeFileSync(join(folder, 'maestra.yaml'), pageClusterText())
})

afterAll(async () => {
  await workspace.remove()
  await hosts.remove()
})

/** Applies the page from the machine of the replica; what was done, and what a plan finds then. */
async function apply(): Promise<readonly string[]> {
  const task = JSON.stringify({ file: join(folder, 'maestra.yaml'), hosts: hosts.files() })
  const [program, args] = hosts.command(two, process.execPath, script, task)
  const { stdout } = await promisify(execFile)(program, args, { env: workspace.env })
  return stdout.trim().split('\n')
}

const url = (host: number, user = 'postgres', secret = password) =>
  `postgres://${user}:${encodeURIComponent(secret)}@${hosts.address(host)}:5432/postgres`

it('is built on two hosts by one apply, over the network between them', async () => {
  expect(await apply()).toEqual([
    'complete the passfile',
    `db1: create the archive ${folder}/archive`,
    'db1: initialise a new primary',
    'db1: start its server',
    'db1: create the replication role replicator',
    'db1: create the replication slot db2',
    'db2: copy db1 (base backup)',
    'db2: start its server',
    'db2: wait until it streams from db1',
    'nothing',
  ])
  password = readFileSync(join(folder, 'maestra.pgpass'), 'utf8').split('\n')[0]?.split(':').at(-1) ?? ''
  for (const [host, node] of [
    [one, 'db1'],
    [two, 'db2'],
  ] as const) {
    const server = runningServer(join(folder, 'data', node))
    expect(hosts.processes(host)).toContain(server)
    expect(networkOf(server)).not.toBe(networkOf(process.pid))
  }
  // The whole of a new server came to the second host.
  expect(hosts.receivedBytes(two)).toBeGreaterThan(20 * 1024 * 1024)
  const senders = { url: url(one), text: 'select application_name, client_addr, state from pg_stat_replication' }
  expect(await ask(hosts, two, senders)).toEqual({
    rows: [{ application_name: 'db2', client_addr: '192.168.1.2', state: 'streaming' }],
  })
  const receiver = { url: url(two), text: 'select sender_host from pg_stat_wal_receiver' }
  expect(await ask(hosts, two, receiver)).toEqual({ rows: [{ sender_host: '192.168.1.1' }] })
})

it('refuses a third address also with the right password', async () => {
  expect(await ask(hosts, three, { url: url(one), text: 'select' })).toMatchObject({ code: '28000' })
  expect(await ask(hosts, three, { url: url(two), text: 'select' })).toMatchObject({ code: '28000' })
})

it('shows rows of the primary on the replica, which refuses to be written to', async () => {
  await ask(hosts, one, { url: url(one), text: `create table sale as select 'té' as item` })
  await askUntil(hosts, two, { url: url(two), text: 'select item from sale' }, [{ item: 'té' }])
  expect(await ask(hosts, two, { url: url(two), text: `insert into sale values ('café')` })).toMatchObject({
    code: '25006',
  })
})

it('archives on the first host', async () => {
  const answer = await ask(hosts, one, {
    url: url(one),
    text: 'select pg_walfile_name(pg_switch_wal()) as name',
  })
  const name = 'rows' in answer ? String(answer.rows[0]?.['name']) : ''
  await waitUntil(
    () =>
      existsSync(join(folder, 'archive', name)) ? { done: true, value: undefined } : { done: false, seen: 'not yet' },
    { awaited: `${name} to be archived`, deadline: Deadline.after(20_000) },
  )
})

it('streams on when the network is back', async () => {
  hosts.plug(two, 'down')
  await ask(hosts, one, { url: url(one), text: `insert into sale values ('mate')` })
  const item = { url: url(two), text: `select item from sale where item = 'mate'` }
  expect(await ask(hosts, two, item)).toEqual({ rows: [] })
  hosts.plug(two, 'up')
  await askUntil(hosts, two, item, [{ item: 'mate' }])
  expect(await apply()).toEqual(['nothing'])
})

describe('while the replica is away, so that the one WAL sender is free,', () => {
  beforeAll(() => stopServer(join(folder, 'data', 'db2')))

  /** A sender that has just been used is not free at once. */
  async function askToReplicate(host: number): Promise<Answer> {
    const question = { url: url(one, 'replicator', ''), text: 'IDENTIFY_SYSTEM', replication: true }
    return await waitUntil(
      async () => {
        const value = await ask(hosts, host, question)
        return 'code' in value && value.code === '53300' ? { done: false, seen: value.message } : { done: true, value }
      },
      { awaited: 'a WAL sender to be free', deadline: Deadline.after(20_000) },
    )
  }

  it('the address of the replica is let in without a password, for replication alone', async () => {
    expect(await askToReplicate(two)).toMatchObject({ rows: [{ xlogpos: expect.any(String) }] })
    expect(await ask(hosts, two, { url: url(one, 'replicator', ''), text: 'select' })).toMatchObject({
      code: '28000',
      message: expect.stringContaining('no pg_hba.conf entry for host "192.168.1.2", user "replicator"'),
    })
  })

  it.each([
    ['a third address', three],
    ['its own address', one],
  ])('replication from %s is refused', async (_, host) => {
    const refused = `no pg_hba.conf entry for replication connection from host "${hosts.address(host)}", user "replicator"`
    expect(await askToReplicate(host)).toMatchObject({ code: '28000', message: expect.stringContaining(refused) })
  })

  it('an apply starts it again, on its host', async () => {
    expect(await apply()).toEqual(['db2: start its server', 'db2: wait until it streams from db1', 'nothing'])
    expect(hosts.processes(two)).toContain(runningServer(join(folder, 'data', 'db2')))
  })
})
