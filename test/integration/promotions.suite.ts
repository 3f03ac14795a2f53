import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Secret } from '@maestra/client/base/secret'
import { parseLsn } from '@maestra/client/postgres/lsn'
import { type Sandbox, type SandboxNode, startSandbox } from 'maestra'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LocalHost } from '../../packages/maestra/src/host/local/local-host.js'
import { openSandbox } from '../../packages/maestra/src/sandbox/open-sandbox.js'
import { declarePrimary, readSandboxCluster } from '../../packages/maestra/src/sandbox/sandbox-cluster.js'
import { keepsWalFrom } from '../../packages/maestra/src/server/promote.js'
import { processesBelow } from '../harness/processes.js'
import { sql, untilRows } from '../harness/sql.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

let workspace: Workspace

const insert = (on: SandboxNode, id: number) => sql(on.url, `insert into t values (${id})`)

const ids = 'select id from t order by id'
const rowsOf = (...all: readonly number[]) => all.map((id) => ({ id }))
const untilIds = (on: SandboxNode, ...all: readonly number[]) => untilRows(on.url, ids, rowsOf(...all))

/** A file that a replica keeps for as long as it keeps its data. */
async function fileOf(node: SandboxNode): Promise<unknown> {
  const [row] = await sql(node.url, `select (pg_stat_file('PG_VERSION')).modification::text as at`)
  return row?.['at']
}

/** What a failover looks like, and what becomes of the replicas that were not promoted. */
export function describePromotions({ version }: { readonly version: number }): void {
  /** With a table `t` that every replica has. */
  async function startShop(replicas: number, parameters: Readonly<Record<string, string>> = {}): Promise<Sandbox> {
    const shop = await startSandbox({ replicas, version, parameters })
    await sql(shop.primary.url, 'create table t as select 1 as id')
    for (const replica of shop.replicas) await untilIds(replica, 1)
    return shop
  }

  /** Its row 2 is on db1 and db3 alone. */
  async function startShopWithDb3Ahead(): Promise<Sandbox> {
    const shop = await startShop(2)
    await shop.node('db2').cut()
    await insert(shop.primary, 2)
    await untilIds(shop.node('db3'), 1, 2)
    return shop
  }

  describe(`a promotion, PostgreSQL ${version}`, () => {
    beforeAll(() => {
      workspace = openWorkspace()
      process.env['MAESTRA_CACHE'] = workspace.cache
    })

    afterAll(() => workspace.remove())

    it('has a replica take writes and the others follow it; one that is ahead is made anew', async () => {
      await using shop = await startShopWithDb3Ahead()
      const [db1, db2, db3] = [shop.node('db1'), shop.node('db2'), shop.node('db3')]
      await db3.lag('1s')
      await shop.promote('db2')
      expect(shop.primary).toBe(db2)
      expect(shop.replicas).toEqual([db3])
      expect([db1.role, db2.role, db3.role]).toEqual(['former-primary', 'primary', 'standby'])
      // The commit that the promoted one never had is gone from all but the old primary, which still takes writes.
      await insert(db2, 3)
      await untilIds(db3, 1, 3)
      await insert(db1, 4)
      expect(await sql(db1.url, ids)).toEqual(rowsOf(1, 2, 4))
      expect(await sql(db2.url, ids)).toEqual(rowsOf(1, 3))
      expect(await sql(db3.url, 'show recovery_min_apply_delay')).toEqual([{ recovery_min_apply_delay: '1s' }])
      const status = await shop.status()
      expect(status.nodes.map((node) => [node.name, node.role, node.state, node.timeline])).toEqual([
        ['db1', 'primary', 'running', 1],
        ['db2', 'primary', 'running', 2],
        ['db3', 'standby', 'delayed', 2],
      ])
      await expect(db1.cut()).rejects.toMatchObject({
        message: `db1 is a former primary of sandbox ${shop.name}: cut asks for a replica`,
      })
    })

    it('leaves replicas that are not ahead their data, a killed one too', async () => {
      await using shop = await startShop(2)
      const [db1, db2, db3] = [shop.node('db1'), shop.node('db2'), shop.node('db3')]
      const before = await fileOf(db3)
      await db3.pause()
      await db1.kill()
      await shop.promote('db2')
      await insert(db2, 2)
      await db3.resume()
      await untilIds(db3, 1, 2)
      await db3.kill()
      await db3.start()
      expect(await fileOf(db3)).toBe(before)
      // What was the primary comes up as one, by itself.
      await db1.start()
      expect(await sql(db1.url, 'select pg_is_in_recovery() as standby')).toEqual([{ standby: false }])
    })

    it('leaves a paused replica its data and its pause, also when it is the second', async () => {
      await using shop = await startShop(3)
      const [db2, db3, db4] = [shop.node('db2'), shop.node('db3'), shop.node('db4')]
      await shop.promote('db2')
      await insert(db2, 2)
      for (const replica of shop.replicas) await untilIds(replica, 1, 2)
      const before = await fileOf(db4)
      await db4.pause()
      await insert(db2, 3)
      await untilIds(db3, 1, 2, 3)
      await shop.promote('db3')
      expect(await fileOf(db4)).toBe(before)
      expect(await sql(db4.url, ids)).toEqual(rowsOf(1, 2))
      await db4.resume()
      await untilIds(db4, 1, 2, 3)
    })

    it('makes a slot in place of one that keeps nothing for a replica that is to follow', async () => {
      await using shop = await startShop(2)
      const [db2, db3] = [shop.node('db2'), shop.node('db3')]
      await sql(db2.url, `select pg_create_physical_replication_slot('db3')`)
      await shop.promote('db2')
      await insert(db2, 2)
      await untilIds(db3, 1, 2)
    })

    describe('while a replica is ahead that cannot follow yet', () => {
      it('has it made anew when it is started: one that was killed', async () => {
        await using shop = await startShopWithDb3Ahead()
        const [db2, db3] = [shop.node('db2'), shop.node('db3')]
        await db3.kill()
        await shop.promote('db2')
        await insert(db2, 3)
        await db3.start()
        await untilIds(db3, 1, 3)
      })

      it('has it made anew at once, and cut off still: one that is cut off', async () => {
        await using shop = await startShopWithDb3Ahead()
        const [db2, db3] = [shop.node('db2'), shop.node('db3')]
        await db3.cut()
        await shop.promote('db2')
        await insert(db2, 3)
        expect(await sql(db3.url, ids)).toEqual(rowsOf(1))
        await db3.mend()
        await untilIds(db3, 1, 3)
      })

      it('has it made anew when it is mended: one that was cut off before it showed how far it is', async () => {
        await using shop = await startShopWithDb3Ahead()
        const [db2, db3] = [shop.node('db2'), shop.node('db3')]
        await db3.lag('1h')
        await db3.kill()
        await shop.promote('db2')
        await insert(db2, 3)
        await db3.start()
        await db3.cut()
        // By SQL, so that nobody looks again before it is mended.
        await sql(db3.url, 'alter system reset recovery_min_apply_delay')
        await sql(db3.url, 'select pg_reload_conf()')
        await untilIds(db3, 1, 2)
        await db3.mend()
        await untilIds(db3, 1, 3)
      })

      it('has it made anew when its lag ends: a late one, which shows only then how far it is', async () => {
        await using shop = await startShopWithDb3Ahead()
        const [db2, db3] = [shop.node('db2'), shop.node('db3')]
        await db3.lag('1h')
        await db3.kill()
        await shop.promote('db2')
        await insert(db2, 3)
        await db3.start()
        await db3.lag(0)
        await untilIds(db3, 1, 3)
      })

      it('has it made anew when the new primary is back: one that was started without that', async () => {
        await using shop = await startShopWithDb3Ahead()
        const [db2, db3] = [shop.node('db2'), shop.node('db3')]
        await db3.kill()
        await shop.promote('db2')
        await insert(db2, 3)
        await db2.kill()
        await db3.start()
        expect(await sql(db3.url, ids)).toEqual(rowsOf(1, 2))
        await db2.start()
        await untilIds(db3, 1, 3)
      })
    })

    describe('with replicas whose WAL is gone', () => {
      let shop: Sandbox
      let late: SandboxNode
      let cutOff: SandboxNode
      let killed: SandboxNode

      beforeAll(async () => {
        shop = await startShop(4, { max_wal_size: '64MB', min_wal_size: '32MB' })
        late = shop.node('db3')
        cutOff = shop.node('db4')
        killed = shop.node('db5')
        await cutOff.cut()
        await late.lag('1h')
        await late.kill()
        await killed.kill()
        const next = shop.node('db2')
        for (let id = 2; id <= 9; id += 1) {
          await insert(shop.primary, id)
          await sql(shop.primary.url, 'select pg_switch_wal()')
          await sql(shop.primary.url, 'checkpoint')
        }
        await untilRows(next.url, all, [{ count: 9 }])
        for (let time = 0; time < 2; time += 1) await sql(next.url, 'checkpoint')
        await shop.promote('db2')
      })

      afterAll(() => shop?.stop())

      const all = 'select count(*)::int from t'

      it('makes one anew that was killed', async () => {
        await killed.start()
        await untilRows(killed.url, all, [{ count: 9 }])
      })

      it('makes one anew that was cut off, which is cut off still', async () => {
        await untilRows(cutOff.url, all, [{ count: 9 }])
        await insert(shop.primary, 10)
        await untilRows(killed.url, all, [{ count: 10 }])
        expect(await sql(cutOff.url, all)).toEqual([{ count: 9 }])
        await cutOff.mend()
        await untilRows(cutOff.url, all, [{ count: 10 }])
      })

      it('makes one anew that is late, which is late still', async () => {
        await late.start()
        await untilRows(late.url, all, [{ count: 10 }])
        expect(await sql(late.url, 'show recovery_min_apply_delay')).toEqual([{ recovery_min_apply_delay: '1h' }])
      })
    })

    it('takes a primary for one that has all WAL, where a segment ends and the next is not begun', async () => {
      await using shop = await startShop(0)
      const { host, port, url } = shop.primary
      const password = new Secret(new URL(url).password)
      await sql(url, 'select pg_switch_wal()')
      const [row] = await sql<{ lsn: string }>(url, 'select pg_current_wal_lsn()::text as lsn')
      const lsn = parseLsn(row?.lsn ?? '')
      expect(lsn % (16n * 1024n * 1024n)).toBe(0n)
      expect(await keepsWalFrom({ node: 'db1', host, port, user: 'postgres', password }, lsn)).toBe(true)
    })

    describe('that was killed on its way', () => {
      it('is carried on by a second one: the replica was promoted, and nothing else', async () => {
        await using shop = await startShop(2)
        const [db2, db3] = [shop.node('db2'), shop.node('db3')]
        await sql(db2.url, 'select pg_promote()')
        await shop.promote('db2')
        expect(shop.primary).toBe(db2)
        await insert(db2, 2)
        await untilIds(db3, 1, 2)
      })

      it('is carried on by a start: its cluster file was written, and no other replica told', async () => {
        await using shop = await startShop(2)
        const [db2, db3] = [shop.node('db2'), shop.node('db3')]
        const host = new LocalHost({ sync: false })
        await sql(db2.url, 'select pg_promote()')
        await sql(db2.url, `select pg_create_physical_replication_slot('db3', true)`)
        await declarePrimary(host, await readSandboxCluster(host, shop.directory), 'db2')
        await shop.startAll()
        await insert(db2, 2)
        await untilIds(db3, 1, 2)
      })

      it('is carried on by a start: a replica was being made anew, and its data is gone', async () => {
        await using shop = await startShop(1)
        const db2 = shop.node('db2')
        await db2.kill()
        rmSync(join(shop.directory, 'db2'), { recursive: true })
        await db2.start()
        await untilIds(db2, 1)
        expect((await shop.status()).nodes[1]?.state).toBe('streaming')
      })
    })

    it('leaves one primary when several are asked for at once, by whoever', async () => {
      await using shop = await startShop(3)
      const another = await openSandbox(shop.name)
      const outcomes = await Promise.allSettled([shop.promote('db2'), another.promote('db3'), shop.promote('db2')])
      const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
      for (const reason of refused) expect(reason).toMatchObject({ code: 'wrong-role' })
      const seen = await openSandbox(shop.name)
      expect(seen.nodes.filter((node) => node.role === 'primary')).toHaveLength(1)
      expect(seen.replicas.length).toBeGreaterThan(0)
      await insert(seen.primary, 2)
      for (const replica of seen.replicas) await untilIds(replica, 1, 2)
    })

    it('leaves nothing when the sandbox is stopped meanwhile', async () => {
      const shop = await startSandbox({ replicas: 2, version })
      const promoting = shop.promote('db2').catch((error: unknown) => error)
      await shop.stop()
      const error = await promoting
      if (error !== undefined) expect(error).toMatchObject({ code: 'interrupted' })
      expect(existsSync(shop.directory)).toBe(false)
      expect(processesBelow(shop.directory)).toEqual([])
      await expect(shop.promote('db3')).rejects.toMatchObject({ code: 'interrupted' })
    })
  })
}
