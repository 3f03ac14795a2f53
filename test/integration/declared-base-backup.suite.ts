import { readFileSync } from 'node:fs'
import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import { Secret } from '@maestra/client/base/secret'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { observeCopy } from '../../packages/maestra/src/server/observe-copy.js'
import { ClusterFolder, type ClusterText, quickParameters } from '../harness/cluster-folder.js'
import { binOf, type Major } from '../harness/majors.js'
import { sql, untilRows } from '../harness/sql.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

// One describe after the other: each opens its own.
let workspace: Workspace
let shop: ClusterFolder

/** A single WAL sender: the copy has it first, the standby afterwards. */
const parameters = [
  ...quickParameters,
  'max_wal_senders: 1',
  'log_checkpoints: on',
  'log_replication_commands: on',
  'log_connections: on',
]

const log = () => readFileSync(`${shop.data('db1')}.log`, 'utf8')

/** What the cluster file says of a base backup is what the server is asked for. */
export function describeDeclaredBaseBackup(of: Major): void {
  describe(`a base backup of PostgreSQL ${of.version}, as declared`, () => {
    let declare: (text: ClusterText) => void

    beforeAll(async () => {
      workspace = openWorkspace()
      const bin = await binOf(of, workspace)
      shop = await ClusterFolder.open(workspace, 'shop', ['db1', 'db2'])
      declare = (text) => shop.declare({ version: of.version, ...(bin !== undefined && { bin }), parameters, ...text })
      declare({ nodes: ['db1'] })
      await shop.apply()
      await sql(shop.url('db1'), 'create table sale as select i as id from generate_series(1, 1000) i')
    })

    afterAll(() => workspace.remove())

    it('is reckoned with before, by the size of the data and the WAL that is written', async () => {
      const password = new Secret(shop.passwords()[0] ?? '')
      const login = { node: 'db1', host: '127.0.0.1', port: shop.port('db1'), user: 'postgres', password }
      // 14 has its statistics written down now and then.
      const seen = await waitUntil(
        async () => {
          const found = await observeCopy(login)
          return (found?.walBytes ?? 0) > 1000
            ? { done: true, value: found }
            : { done: false, seen: JSON.stringify(found) }
        },
        { awaited: 'the WAL that was written', deadline: Deadline.after(20_000) },
      )
      const [size] = await sql(shop.url('db1'), 'select sum(pg_database_size(oid))::float8 as bytes from pg_database')
      expect((seen?.dataBytes ?? 0) / Number(size?.['bytes'])).toBeCloseTo(1, 1)
      expect(seen?.walMs).toBeGreaterThan(0)
      expect(await observeCopy({ ...login, port: 1 })).toBeUndefined()
    })

    it('needs one WAL sender, begins with a spread checkpoint, keeps to a rate and spares checksums', async () => {
      const before = log().length
      declare({
        nodes: ['db1', 'db2'],
        more: ['base_backup: { checkpoint: spread, max_rate: 40MB, verify: false }'],
      })
      await shop.apply()
      const said = log().slice(before)
      const [command = ''] = /received replication command: BASE_BACKUP.*/.exec(said) ?? []
      expect(command).toMatch(/\bMAX_RATE 40960\b/)
      expect(command).toMatch(/MANIFEST_CHECKSUMS 'NONE'/)
      expect(command).toMatch(/\bNOVERIFY_CHECKSUMS\b|\bVERIFY_CHECKSUMS false\b/)
      // A fast one says `immediate force wait`, or `fast force wait`.
      expect(said).toMatch(/checkpoint starting: force wait/)
      expect(said).not.toContain('number of requested standby connections exceeds')
      await untilRows(shop.url('db2'), 'select count(*)::int as n from sale', [{ n: 1000 }])
      expect(await sql(shop.url('db1'), 'select count(*)::int as n from pg_stat_replication')).toEqual([{ n: 1 }])
    })

    it('has no part in what is done to a standby that exists', async () => {
      declare({ nodes: ['db1', 'db2'] })
      const plan = await shop.run(['plan', '--detailed-exitcode'])
      expect(plan).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing to do') })
    })
  })
}
