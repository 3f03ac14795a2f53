import { chmodSync, chownSync, copyFileSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  archiveCommand,
  archiveCommandBytes,
  longestArchiveCommandBytes,
} from '../../packages/maestra/src/cluster/archive-commands.js'
import { isRoot } from '../harness/as-user.js'
import { ClusterFolder } from '../harness/cluster-folder.js'
import { newest, oldest, stagePrograms } from '../harness/majors.js'
import { mountSmallDisk, unmountBelow } from '../harness/mounts.js'
import { pageClusterText } from '../harness/page-cluster.js'
import { stopServer } from '../harness/servers.js'
import { refusal, sql, untilRows } from '../harness/sql.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

let workspace: Workspace
let page: ClusterFolder

beforeAll(async () => {
  workspace = openWorkspace()
  page = await ClusterFolder.open(workspace, 'page', ['db1', 'db2'])
  page.write(pageClusterText(page.nodes.map((node) => ({ host: '127.0.0.1', port: page.port(node) }))))
  await page.apply()
})

afterAll(() => workspace.remove())

const primary = () => page.url('db1')
const replica = () => page.url('db2')
const archive = (...names: readonly string[]) => join(page.file('archive'), ...names)
const walOf = (node: string, name: string) => page.file(`data/${node}/pg_wal/${name}`)

/** The archiver, as PostgreSQL tells of it. */
async function archiver() {
  const text =
    'select archived_count::int as archived, last_archived_wal as last, failed_count::int as failed, last_failed_wal as failing from pg_stat_archiver'
  const [row] = await sql<{ archived: number; last: string | null; failed: number; failing: string | null }>(
    primary(),
    text,
  )
  if (row === undefined) throw new Error('pg_stat_archiver has no row')
  return row
}

/** Ends the segment that is written to, and names it. An archiver that has failed tries again by that. */
async function switchSegment(): Promise<string> {
  await sql(primary(), `select pg_logical_emit_message(true, 'page', 'something to archive')`)
  const [row] = await sql<{ name: string }>(primary(), 'select pg_walfile_name(pg_switch_wal()) as name')
  return row?.name ?? ''
}

async function untilArchiver(awaited: string, wanted: (seen: Awaited<ReturnType<typeof archiver>>) => boolean) {
  await waitUntil(
    async () => {
      const seen = await archiver()
      return wanted(seen) ? { done: true, value: undefined } : { done: false, seen: JSON.stringify(seen) }
    },
    { awaited, deadline: Deadline.after(30_000), everyMs: 50 },
  )
}

async function untilArchived(name: string): Promise<void> {
  await untilArchiver(`${name} to be archived`, ({ last }) => (last ?? '') >= name)
}

async function untilFailing(name: string): Promise<void> {
  await untilArchiver(`the archiving of ${name} to fail`, ({ failing }) => failing === name)
}

describe('the page that people follow, as a cluster file', () => {
  it('is there after one apply, and a second look finds nothing to do', async () => {
    expect((await page.run(['plan', '--detailed-exitcode'])).code).toBe(0)
    expect((await page.status()).nodes.map((node) => node.state)).toEqual(['running', 'streaming'])
    // The name of before 9.6 is taken for the one that it stands for.
    expect(await sql(primary(), 'show wal_level')).toEqual([{ wal_level: 'replica' }])
    expect(await sql(primary(), 'show max_wal_senders')).toEqual([{ max_wal_senders: '1' }])
    expect(await sql(primary(), 'show archive_mode')).toEqual([{ archive_mode: 'on' }])
    expect(await sql(replica(), 'show hot_standby')).toEqual([{ hot_standby: 'on' }])
  })

  it('takes the alias for the value that it is also when the file is changed to that', async () => {
    const text = readFileSync(page.file('maestra.yaml'), 'utf8')
    page.write(text.replace('wal_level: hot_standby', 'wal_level: replica'))
    expect((await page.run(['plan'])).stdout).toMatch(/^cluster shop: nothing to do$/m)
    page.write(text)
  })

  it('lets replication in without a password, and nobody else', async () => {
    const rules = await sql(
      primary(),
      `select database, user_name, address, netmask, auth_method from pg_hba_file_rules where 'trust' = auth_method`,
    )
    expect(rules).toEqual([
      {
        database: ['replication'],
        user_name: ['replicator'],
        address: '127.0.0.1',
        netmask: '255.255.255.255',
        auth_method: 'trust',
      },
    ])
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
    const name = await switchSegment()
    await untilArchived(name)
    expect(statSync(archive(name)).size).toBe(16 * 1024 * 1024)
    expect((statSync(archive()).mode & 0o777).toString(8)).toBe('700')
  })
})

describe('a replica that was down while its WAL was removed from the primary', () => {
  it('catches up from the archive, and cleans nothing in it', async () => {
    await stopServer(page.file('data/db2'))
    const [needed] = await sql<{ name: string }>(
      primary(),
      'select pg_walfile_name(restart_lsn) as name from pg_replication_slots',
    )
    const name = needed?.name ?? ''
    await sql(primary(), `select pg_drop_replication_slot('db2')`)
    await sql(primary(), `insert into sale values ('mate')`)
    await switchSegment()
    await untilArchived(await switchSegment())
    await sql(primary(), 'checkpoint')
    expect(readdirSync(page.file('data/db1/pg_wal'))).not.toContain(name)
    const archived = readdirSync(archive())
    expect(archived).toContain(name)

    await page.apply()
    await untilRows(replica(), `select item from sale where item = 'mate'`, [{ item: 'mate' }])
    expect((await page.status()).nodes.map((node) => node.state)).toEqual(['running', 'streaming'])
    // A restart point is when a standby would clean up.
    await sql(replica(), 'checkpoint')
    expect(readdirSync(archive())).toEqual(expect.arrayContaining(archived))
    expect(readFileSync(page.file('data/db2.log'), 'utf8')).toContain(`restored log file "${name}" from archive`)
  })
})

describe('an archive in which', () => {
  it('another file has the name of a segment keeps it, and a plan warns that archiving fails', async () => {
    const [row] = await sql<{ name: string }>(primary(), 'select pg_walfile_name(pg_current_wal_insert_lsn()) as name')
    const name = row?.name ?? ''
    writeFileSync(archive(name), 'of another server', { mode: 0o644 })
    expect(await switchSegment()).toBe(name)
    await untilFailing(name)
    expect(readFileSync(archive(name), 'utf8')).toBe('of another server')
    expect(readdirSync(archive()).filter((each) => each.endsWith('.new'))).toEqual([])
    const warning = new RegExp(
      `^Warning: db1 cannot archive ${name} \\(\\d+ failures? so far\\), and keeps all WAL since`,
      'm',
    )
    expect((await page.run(['plan'])).stdout).toMatch(warning)
    // Nothing of it is lost: the primary keeps the segment.
    expect(statSync(walOf('db1', name)).size).toBe(16 * 1024 * 1024)
  })

  it('the same file has the name counts as one where it was archived', async () => {
    const { failing } = await archiver()
    const name = failing ?? ''
    copyFileSync(walOf('db1', name), archive(name))
    chmodSync(archive(name), 0o644)
    const { ino } = statSync(archive(name))
    await untilArchived(await switchSegment())
    expect(statSync(archive(name)).ino).toBe(ino)
    expect((await page.run(['plan'])).stdout).not.toContain('cannot archive')
  })

  it('the server may not write is refused by a plan, fails visibly, and is caught up with later', async () => {
    chmodSync(archive(), 0o500)
    const name = await switchSegment()
    await untilFailing(name)
    const { code, stdout } = await page.run(['plan'])
    expect({ code, stdout }).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('cannot write into the archive'),
    })
    chmodSync(archive(), 0o700)
    await untilArchived(await switchSegment())
    expect(readdirSync(archive())).toContain(name)
  })

  it('there is no room is left without half a file, and caught up with later', async () => {
    const owner = statSync(archive())
    // Another user, who may not mount a disk, has the archive away instead.
    if (isRoot) mountSmallDisk(archive(), 4)
    else chmodSync(archive(), 0o000)
    if (isRoot) chownSync(archive(), owner.uid, owner.gid)
    const name = await switchSegment()
    await untilFailing(name)
    if (isRoot) expect(readdirSync(archive()).filter((each) => !each.endsWith('.new'))).toEqual([])
    if (isRoot) unmountBelow(page.directory)
    else chmodSync(archive(), 0o700)
    await untilArchived(await switchSegment())
    expect(statSync(archive(name)).size).toBe(16 * 1024 * 1024)
    expect(readdirSync(archive()).filter((each) => each.endsWith('.new'))).toEqual([])
  })

  it('nothing is left, as it was removed, is made again by the next apply', async () => {
    rmSync(archive(), { recursive: true })
    const { stdout } = await page.apply()
    expect(stdout.match(/^ {2}✓ .*?(?= \(\d+ ms\)$)/gm)).toEqual([`  ✓ db1: create the archive ${archive()}`])
    await untilArchived(await switchSegment())
  })
})

describe('an apply', () => {
  it('refuses an archive that holds WAL of another system, and starts nothing', async () => {
    const other = await ClusterFolder.open(workspace, 'other', ['db1'])
    other.declare({ nodes: ['db1'], more: [`archive: { directory: ${archive()} }`] })
    const { code, stderr, stdout } = await other.run(['apply', '--yes'])
    expect(code).toBe(1)
    expect(stdout + stderr).toMatch(
      /the archive \S+ holds WAL of system \d+ \([0-9A-F]{24}\), and a new primary starts another one/,
    )
    expect(readdirSync(other.directory)).toEqual(['maestra.yaml'])
  })

  it.each([newest, ...(oldest === undefined ? [] : [oldest])])(
    'brings an archive to a cluster of PostgreSQL $version that runs without one, under the longest path',
    async (major) => {
      const { version } = major
      const shop = await ClusterFolder.open(workspace, `shop${version}`, ['db1'])
      const programs = { version, bin: await stagePrograms(major, workspace.folder(`programs${version}`)) }
      const directory = longestArchive(shop.file('archive'))
      shop.declare({ ...programs, nodes: ['db1'] })
      await shop.apply()
      shop.declare({ ...programs, nodes: ['db1'], more: [`archive: { directory: ${directory} }`] })
      expect((await shop.apply()).stdout).toMatch(/✓ db1: create the archive .*✓ db1: restart its server/s)
      const [row] = await sql<{ name: string }>(shop.url('db1'), 'select pg_walfile_name(pg_switch_wal()) as name')
      await untilRows(shop.url('db1'), 'select last_archived_wal as name from pg_stat_archiver', [
        { name: row?.name ?? '' },
      ])
      expect(statSync(join(directory, row?.name ?? '')).size).toBe(16 * 1024 * 1024)
      await stopServer(shop.data('db1'))
    },
  )
})

/** A folder below another whose archive_command PostgreSQL 14 and 15 just take whole. */
function longestArchive(folder: string): string {
  const room = longestArchiveCommandBytes - archiveCommandBytes(archiveCommand(folder))
  const names = `/${'long'.repeat(40)}`
  return folder + names.repeat(Math.floor(room / names.length)) + '/'.padEnd(room % names.length, 'x')
}
