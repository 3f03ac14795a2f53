import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { expect } from 'vitest'
import { type ClusterFolder, quickParameters } from '../harness/cluster-folder.js'
import { processesBelow } from '../harness/processes.js'
import { endServersBelow, stopServer, stopServerAtOnce } from '../harness/servers.js'
import { sql, untilRows } from '../harness/sql.js'
import { asideName } from './expectations.js'
import type { NumberedRows } from './numbered-rows.js'

/** A way that a cluster goes: from a start to what its file says at the end. */
export type Walk = {
  readonly name: string
  /** The nodes at the end, the primary first. */
  readonly nodes: readonly string[]
  /** Brings the folder to the start: from nothing, from the end of any walk, or from where one failed. */
  begin(ground: Ground): Promise<void>
  /** Writes the cluster file that is gone to. */
  declare(folder: ClusterFolder): void
  /** Whether it is there, asked of PostgreSQL itself: a plan that finds nothing to do may have overlooked it. */
  expectThere(folder: ClusterFolder): Promise<void>
}

/** What a walk begins with. */
export type Ground = {
  readonly folder: ClusterFolder
  readonly rows: NumberedRows
  /** Makes the cluster what its file declares, unless it is. */
  apply(): Promise<void>
}

const both = ['db1', 'db2']
let megabytes = 4
let connections = 90

/**
 * Every kind of step is in one of them. Where each kind is killed once, it is in the first that has it: there it does
 * something, and the walk is short.
 */
export const walks: readonly Walk[] = [
  {
    name: 'a changed setting',
    nodes: both,
    begin: async (ground) => {
      declareSetting(ground.folder)
      await applied(ground)
    },
    // Another value each time, so that what one of these walks ends with is what the next begins with.
    declare: (folder) => {
      megabytes += 1
      declareSetting(folder)
    },
    expectThere: async (folder) => {
      await expectStreaming(folder)
      for (const node of both) {
        expect(await sql(folder.url(node), 'show work_mem'), node).toEqual([{ work_mem: `${megabytes}MB` }])
      }
    },
  },
  {
    name: 'a setting that takes a restart',
    nodes: both,
    begin: async (ground) => {
      declareConnections(ground.folder)
      await applied(ground)
    },
    // Raised, the standby comes first; lowered, the primary does.
    declare: (folder) => {
      connections = connections === 90 ? 120 : 90
      declareConnections(folder)
    },
    expectThere: async (folder) => {
      await expectStreaming(folder)
      for (const node of both) {
        expect(await sql(folder.url(node), 'show max_connections'), node).toEqual([
          { max_connections: `${connections}` },
        ])
      }
    },
  },
  {
    name: 'a removed replica',
    nodes: ['db1'],
    begin: async (ground) => {
      const { folder } = ground
      declareBoth(folder)
      await applied(ground)
      await stopServerAtOnce(folder.data('db2'))
    },
    declare: declareOne,
    expectThere: expectForgotten,
  },
  {
    name: 'another replica',
    nodes: both,
    begin: async (ground) => {
      const { folder } = ground
      await forgetNode(folder, 'db2')
      declareOne(folder)
      await applied(ground)
      forgetPasswords(folder, 'db2')
    },
    declare: declareBoth,
    expectThere: expectStreaming,
  },
  {
    name: 'a replica whose WAL is gone',
    nodes: both,
    begin: async (ground) => {
      const { folder } = ground
      declareBoth(folder)
      await applied(ground)
      forgetAside(folder)
      await stopServerAtOnce(folder.data('db2'))
      await loseWal(folder)
    },
    declare: declareBoth,
    expectThere: async (folder) => {
      await expectStreaming(folder)
      const [aside, ...others] = asideOf(folder)
      expect({ others, hasData: existsSync(folder.file(`${aside}/PG_VERSION`)) }).toEqual({ others: [], hasData: true })
      forgetAside(folder)
    },
  },
  { name: 'a new cluster', nodes: both, begin: fromNothing, declare: declareBoth, expectThere: expectStreaming },
  {
    name: 'a new cluster with an archive',
    nodes: both,
    begin: fromNothing,
    declare: (folder) => folder.declare({ nodes: both, more: ['archive: { directory: ./archive }'] }),
    expectThere: async (folder) => {
      await expectStreaming(folder)
      expect((statSync(folder.file('archive')).mode & 0o777).toString(8)).toBe('700')
      await sql(folder.url('db1'), 'select pg_switch_wal()')
      await untilRows(folder.url('db1'), 'select archived_count > 0 as archived from pg_stat_archiver', [
        { archived: true },
      ])
    },
  },
  {
    name: 'a removed replica of a primary that stands still',
    nodes: ['db1'],
    begin: async (ground) => {
      declareBoth(ground.folder)
      await applied(ground)
      await stopBoth(ground.folder)
    },
    declare: declareOne,
    expectThere: expectForgotten,
  },
  {
    name: 'servers that stand still',
    nodes: both,
    begin: async (ground) => {
      declareBoth(ground.folder)
      await applied(ground)
      await stopBoth(ground.folder)
    },
    declare: declareBoth,
    expectThere: expectStreaming,
  },
  // The last, since the others know nothing of db3.
  {
    name: 'a replica of a replica',
    nodes: ['db1', 'db2', 'db3'],
    begin: async (ground) => {
      const { folder } = ground
      await forgetNode(folder, 'db3')
      declareBoth(folder)
      await applied(ground)
      forgetPasswords(folder, 'db3')
    },
    declare: (folder) => folder.declare({ nodes: ['db1', 'db2', 'db3'], follows: { db3: 'db2' } }),
    expectThere: async (folder) => {
      await expectStreaming(folder)
      await expectStreaming(folder, 'db2', 'db3')
    },
  },
]

/** Has the primary remove WAL that db2 needs, and with it what its slot is for. */
async function loseWal(folder: ClusterFolder): Promise<void> {
  const url = folder.url('db1')
  await sql(url, 'alter system set max_slot_wal_keep_size = 0')
  await sql(url, 'select pg_reload_conf()')
  await untilRows(url, 'show max_slot_wal_keep_size', [{ max_slot_wal_keep_size: '0' }])
  for (let segment = 0; segment < 3; segment += 1) {
    await sql(url, `select pg_logical_emit_message(false, 'walk', 'more')`)
    await sql(url, 'select pg_switch_wal()')
    await sql(url, 'checkpoint')
  }
  await sql(url, 'alter system reset max_slot_wal_keep_size')
  await sql(url, 'select pg_reload_conf()')
  await untilRows(url, 'show max_slot_wal_keep_size', [{ max_slot_wal_keep_size: '16GB' }])
}

function asideOf(folder: ClusterFolder): readonly string[] {
  return readdirSync(folder.directory).filter((name) => asideName.test(name))
}

function forgetAside(folder: ClusterFolder): void {
  for (const name of asideOf(folder)) rmSync(folder.file(name), { recursive: true })
}

function declareBoth(folder: ClusterFolder): void {
  folder.declare({ nodes: both })
}

function declareSetting(folder: ClusterFolder): void {
  folder.declare({ nodes: both, parameters: [...quickParameters, `work_mem: ${megabytes}MB`] })
}

function declareConnections(folder: ClusterFolder): void {
  folder.declare({ nodes: both, parameters: [...quickParameters, `max_connections: ${connections}`] })
}

function declareOne(folder: ClusterFolder): void {
  folder.declare({ nodes: ['db1'] })
}

async function expectStreaming(folder: ClusterFolder, upstream = 'db1', standby = 'db2'): Promise<void> {
  const text = `select s.slot_name, r.state from pg_replication_slots s join pg_stat_replication r on r.pid = s.active_pid`
  expect(await sql(folder.url(upstream), text)).toEqual([{ slot_name: standby, state: 'streaming' }])
}

/** The slot of db2 is gone, its data are not. */
async function expectForgotten(folder: ClusterFolder): Promise<void> {
  expect(await sql(folder.url('db1'), 'select slot_name from pg_replication_slots')).toEqual([])
  expect(existsSync(`${folder.data('db2')}/PG_VERSION`)).toBe(true)
}

async function stopBoth(folder: ClusterFolder): Promise<void> {
  await stopServerAtOnce(folder.data('db2'))
  await stopServer(folder.data('db1'))
}

/** What the file declares, with a row in it. */
async function applied(ground: Ground): Promise<void> {
  // Where a walk before this one failed, there may be anything.
  await ground.apply().catch(async () => {
    await fromNothing(ground)
    await ground.apply()
  })
  await ground.rows.write()
}

async function fromNothing({ folder, rows }: Ground): Promise<void> {
  await endServersBelow(folder.directory)
  for (const node of folder.nodes) {
    for (const end of ['', '.log', '.maestra-lock', '.maestra-lock.stale', '.maestra-incoming']) {
      rmSync(`${folder.data(node)}${end}`, { recursive: true, force: true })
    }
  }
  rmSync(folder.file('maestra.pgpass'), { force: true })
  rmSync(folder.file('archive'), { recursive: true, force: true })
  rows.forget()
}

async function forgetNode(folder: ClusterFolder, node: string): Promise<void> {
  if (isUp(folder, node)) await stopServerAtOnce(folder.data(node))
  rmSync(folder.data(node), { recursive: true, force: true })
  rmSync(`${folder.data(node)}.log`, { force: true })
}

function isUp(folder: ClusterFolder, node: string): boolean {
  return processesBelow(folder.data(node)).length > 0
}

function forgetPasswords(folder: ClusterFolder, node: string): void {
  const passfile = folder.file('maestra.pgpass')
  if (!existsSync(passfile)) return
  const lines = readFileSync(passfile, 'utf8').split('\n')
  writeFileSync(passfile, lines.filter((line) => !line.includes(`:${folder.port(node)}:`)).join('\n'))
}
