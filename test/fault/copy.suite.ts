import { chownSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isRoot } from '../harness/as-user.js'
import { ClusterFolder, quickParameters } from '../harness/cluster-folder.js'
import { type MaestraRun, startMaestra } from '../harness/maestra.js'
import { binOf, type Major } from '../harness/majors.js'
import { killServer, stopServer } from '../harness/servers.js'
import { sql, untilRows } from '../harness/sql.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

// One describe after the other: each opens its own.
let workspace: Workspace
let shop: ClusterFolder
let declare: (nodes: readonly string[], parameters?: readonly string[]) => void

const two = ['db1', 'db2']
/** Slow enough for something to happen in the middle. */
const slowly = ['base_backup: { max_rate: 4MB }']

/** Starts an apply that copies the primary, and does something while the data are on their way. */
async function applyWhile(disturb: () => Promise<unknown>): Promise<MaestraRun> {
  const apply = startMaestra(workspace, ['apply', '--yes'], { cwd: shop.directory })
  const early = apply.end().then((run) => {
    throw new Error(`the apply ended before the copy was midway: ${JSON.stringify(run)}`)
  })
  early.catch(() => {})
  const midway = 'select backup_streamed > 1000000 as midway from pg_stat_progress_basebackup'
  await Promise.race([untilRows(shop.url('db1'), midway, [{ midway: true }]), early])
  await disturb()
  return await apply.end()
}

/** The copy failed in these words, and there is nothing of it; the slot is there for the next one. */
async function expectNothingOf(run: MaestraRun, words: RegExp): Promise<void> {
  expect({ code: run.code, stderr: run.stderr }).toEqual({ code: 1, stderr: expect.stringMatching(words) })
  expect(readdirSync(shop.directory).filter((name) => name.startsWith('db2'))).toEqual([])
}

const slots = () => sql(shop.url('db1'), 'select slot_name, wal_status from pg_replication_slots')

/** Ends with the WAL of before removed, but for what a slot or wal_keep_size keeps. */
async function recycleWal(segments: number): Promise<void> {
  for (let written = 0; written < segments; written += 1) {
    await sql(shop.url('db1'), 'select pg_logical_emit_message(false, $$test$$, $$x$$), pg_switch_wal()')
  }
  await sql(shop.url('db1'), 'checkpoint')
}

/**
 * A copy of the primary that is disturbed: told, nothing left of it, and nothing else touched. Each test goes on from what the
 * one before has left; the last one brings it to its end.
 */
export function describeCopy(of: Major): void {
  describe(`a copy of a primary of PostgreSQL ${of.version}`, () => {
    beforeAll(async () => {
      workspace = openWorkspace()
      const bin = await binOf(of, workspace)
      shop = await ClusterFolder.open(workspace, 'shop', two)
      declare = (nodes, parameters = []) =>
        shop.declare({
          version: of.version,
          ...(bin !== undefined && { bin }),
          nodes,
          parameters: [...quickParameters, ...parameters],
          more: slowly,
        })
      declare(['db1'])
      await shop.apply()
      await sql(shop.url('db1'), 'create table sale as select i as id from generate_series(1, 1000) i')
      declare(two)
    })

    afterAll(() => workspace.remove())

    it('ends with its connection, when that is ended', async () => {
      const run = await applyWhile(() =>
        sql(shop.url('db1'), 'select pg_terminate_backend(pid) from pg_stat_progress_basebackup'),
      )
      await expectNothingOf(run, /^Error: .*(terminating connection|connection to the server was lost)/)
      expect(await slots()).toEqual([{ slot_name: 'db2', wal_status: 'reserved' }])
    })

    it('is not begun where pg_hba.conf does not let the replication role in, and the line that would is shown', async () => {
      const file = join(shop.data('db1'), 'pg_hba.conf')
      const lines = readFileSync(file, 'utf8')
      const write = async (text: string) => {
        writeFileSync(file, text)
        const [row] = await sql(shop.url('db1'), 'select pg_conf_load_time()::text as at, pg_reload_conf()')
        await untilRows(shop.url('db1'), `select pg_conf_load_time() > '${row?.['at']}' as loaded`, [{ loaded: true }])
      }
      await write(`host replication replicator 127.0.0.1/32 reject\n${lines}`)
      await expectNothingOf(
        await shop.run(['apply', '--yes']),
        /^Error: db1 \(127\.0\.0\.1:\d+\) does not let replicator in: pg_hba\.conf rejects replication connection for host "127\.0\.0\.1".*\nTry: .*host replication replicator 127\.0\.0\.1\/32 scram-sha-256/,
      )
      await write(lines)
      expect(await slots()).toEqual([{ slot_name: 'db2', wal_status: 'reserved' }])
    })

    it('is not begun with a password that is not taken', async () => {
      // One that differs from the passfile would be brought to it first.
      await sql(shop.url('db1'), `alter role replicator valid until 'yesterday'`)
      await expectNothingOf(
        await shop.run(['apply', '--yes']),
        /^Error: db1 \(127\.0\.0\.1:\d+\) does not let replicator in: password authentication failed.*\nTry: .*password/,
      )
      await sql(shop.url('db1'), `alter role replicator valid until 'infinity'`)
    })

    it('is refused while there are tablespaces elsewhere, which are named, before anything is written', async () => {
      const space = workspace.folder('fast')
      if (isRoot) chownSync(space, statSync(shop.data('db1')).uid, statSync(shop.data('db1')).gid)
      await sql(shop.url('db1'), `create tablespace fast location '${space}'`)
      const before = await slots()
      const run = await shop.run(['apply', '--yes'])
      expect(run.stdout).toContain(
        `refused  db2: db1 has the tablespace fast at ${space}, outside of its data directory, and Maestra does not copy those\n`,
      )
      await expectNothingOf(run, /^$/)
      expect(readdirSync(space)).toHaveLength(1)
      expect(await slots()).toEqual(before)

      // The plan cannot see them while the primary is stopped; the step looks again.
      await stopServer(shop.data('db1'))
      await expectNothingOf(
        await shop.run(['apply', '--yes']),
        /^Error: db1 has the tablespace fast at .*, outside of its data directory.*\nTry: maestra plan/,
      )
      await sql(shop.url('db1'), 'drop tablespace fast')
    })

    it('ends with the primary, when that is killed', async () => {
      const run = await applyWhile(() => killServer(shop.data('db1')))
      await expectNothingOf(
        run,
        /^Error: (the connection to the server was lost after \d+\.\d MiB of the base backup|the server ended the base backup)/,
      )
    })

    it('is told to be of no use when its slot has lost WAL meanwhile, and the slot is dropped', async () => {
      declare(two, ['max_slot_wal_keep_size: 48MB'])
      await expectNothingOf(
        await applyWhile(() => recycleWal(6)),
        /^Error: while db2 was copied, db1 wrote more WAL than the slot db2 may keep \(max_slot_wal_keep_size is 48MB\).*\nTry: declare more/,
      )
      expect(await slots()).toEqual([])
    })

    it('has all WAL that is written meanwhile kept by its slot, and ends well', async () => {
      declare(two)
      // By hand, one that keeps no WAL before somebody uses it.
      await sql(shop.url('db1'), `select pg_create_physical_replication_slot('db2')`)
      const plan = await shop.run(['plan'])
      expect(plan.stdout).toMatch(/db1: replace the replication slot db2\n +it was made without reserving WAL/)
      const run = await applyWhile(() => recycleWal(6))
      expect(run).toMatchObject({ code: 0, stderr: '' })
      expect((await shop.status()).nodes.map((node) => node.state)).toEqual(['running', 'streaming'])
      await untilRows(shop.url('db2'), 'select count(*)::int as n from sale', [{ n: 1000 }])
      expect(await slots()).toEqual([{ slot_name: 'db2', wal_status: 'reserved' }])
    })
  })
}
