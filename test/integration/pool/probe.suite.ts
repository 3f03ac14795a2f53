import { type Sandbox, type SandboxNode, startSandbox } from 'maestra'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bytesBetween, type Lsn } from '../../../packages/client/src/postgres/lsn.js'
import { parseProbe } from '../../../packages/client/src/routing/topology/parse-probe.js'
import {
  positionQuery,
  probeQuery,
  replayAndTimelineQuery,
} from '../../../packages/client/src/routing/topology/probe-query.js'
import type { PrimaryProgress, StandbyProgress } from '../../../packages/client/src/routing/topology/server-state.js'
import { sql, untilRows } from '../../harness/sql.js'
import { connectAs } from '../../harness/watch-connection.js'

/** What the probe calls, in place of which stand functions that say when they are called. */
const looks = {
  pg_is_in_recovery: 'boolean',
  pg_last_wal_replay_lsn: 'pg_lsn',
  pg_current_wal_insert_lsn: 'pg_lsn',
  pg_current_wal_flush_lsn: 'pg_lsn',
  pg_last_wal_receive_lsn: 'pg_lsn',
} as const

function told(text: string): string {
  const replaced = Object.keys(looks).reduce(
    (sql, name) => sql.replaceAll(`pg_catalog.${name}()`, `told.${name}()`),
    text,
  )
  return replaced
    .replaceAll('from pg_catalog.pg_stat_wal_receiver', 'from told.pg_stat_wal_receiver()')
    .replaceAll('from pg_catalog.pg_stat_get_wal_receiver()', 'from told.pg_stat_wal_receiver()')
}

async function createTold(client: pg.Client, inRecovery: boolean): Promise<void> {
  await client.query('drop schema if exists told cascade')
  await client.query('create schema told')
  for (const [name, type] of Object.entries(looks)) {
    const value = type === 'boolean' ? String(inRecovery) : `'0/1000000'`
    await client.query(
      `create function told.${name}() returns ${type} language plpgsql volatile as $$ begin raise notice '${name}'; return ${value}; end $$`,
    )
  }
  await client.query(
    `create function told.pg_stat_wal_receiver(out received_tli int) language plpgsql volatile as $$ begin raise notice 'pg_stat_wal_receiver'; received_tli := 1; end $$`,
  )
}

export function describeProbe(version: number): void {
  describe(`a probe of PostgreSQL ${version}`, () => {
    let shop: Sandbox
    let client: pg.Client

    beforeAll(async () => {
      shop = await startSandbox({ replicas: 1, version })
      client = new pg.Client(shop.primary.url)
      await client.connect()
    })

    afterAll(async () => {
      await client?.end()
      await shop?.stop()
    })

    // A position is only worth what is known to have been looked at before it, and after it (T3, W5).
    it('looks for the role first, then for what is reached, then for what may only be later', async () => {
      const notices: string[] = []
      client.on('notice', ({ message }) => notices.push(message ?? ''))
      const orderOf = async (text: string) => {
        notices.length = 0
        await client.query(told(text))
        return [...notices]
      }
      for (const text of [probeQuery, positionQuery]) {
        await createTold(client, true)
        const [recovery, replayed, ...later] = await orderOf(text)
        expect([recovery, replayed]).toEqual(['pg_is_in_recovery', 'pg_last_wal_replay_lsn'])
        expect(later.toSorted()).toEqual(['pg_last_wal_receive_lsn', 'pg_stat_wal_receiver'])
        await createTold(client, false)
        const [first, ...rest] = await orderOf(text)
        expect(first).toBe('pg_is_in_recovery')
        expect(rest.slice(0, 2).toSorted()).toEqual(['pg_current_wal_insert_lsn', 'pg_last_wal_replay_lsn'])
        expect(rest.slice(2)).toEqual(['pg_current_wal_flush_lsn'])
      }
      await createTold(client, true)
      const [timeline, ...before] = (await orderOf(replayAndTimelineQuery)).toReversed()
      expect(timeline).toBe('pg_stat_wal_receiver')
      expect(before.toSorted()).toEqual(['pg_is_in_recovery', 'pg_last_wal_replay_lsn'])
      await client.query('drop schema told cascade')
    })

    it('tells a plain role of a promotion over the connection that was open before it, and of its switch point (T2)', async () => {
      await client.query(`create role app login password 'app'`)
      const [standby] = shop.replicas as [SandboxNode]
      await untilRows(standby.url, `select rolname from pg_roles where rolname = 'app'`, [{ rolname: 'app' }])
      const signal = new AbortController().signal
      const connection = await connectAs('app', 'app')(`${standby.host}:${standby.port}`, signal)
      const probe = async () => parseProbe((await connection.query(probeQuery))[0] ?? {})
      const before = await probe()
      expect(before).toMatchObject({ readOnly: true, passedTimeline: 1, progress: { inRecovery: true } })
      await sql(standby.url, 'select pg_promote()')
      const after = await probe()
      const { replayed } = before.progress as StandbyProgress
      const { lastReplayed, inserted, timeline } = after.progress as PrimaryProgress
      expect(after).toMatchObject({ startedAt: before.startedAt, readOnly: false })
      expect(timeline).toBe(2)
      expect(bytesBetween(replayed as Lsn, lastReplayed as Lsn)).toBeGreaterThanOrEqual(0)
      expect(bytesBetween(lastReplayed as Lsn, inserted)).toBeGreaterThan(0)
      connection.close()
    })
  })
}
