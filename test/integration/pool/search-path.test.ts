import { expect, it } from 'vitest'
import type { PoolOptions, RoutingEvent } from '../../../packages/client/src/index.js'
import { nameTrap } from '../../harness/name-trap.js'
import { poolUrl } from '../../harness/pool-url.js'
import { routedCluster } from '../../harness/routed-cluster.js'
import { refusal } from '../../harness/sql.js'
import { tracesOf } from '../../harness/traces.js'
import { untilSeen } from '../../harness/until-seen.js'

const cluster = routedCluster({
  schema: `create table item (value int);
    insert into item values (0);
    create function one() returns int language sql as 'select 1';
    ${nameTrap};
    create role app login password 'app';
    grant select, insert on item to app;
    alter role app set search_path = trap, pg_catalog, public`,
})

const login = { user: 'app', password: 'app' }
const read = 'select value from item'

/** A pool of the role whose search_path is a trap, and what it tells; its reads are on replicas. */
async function openPool(options: PoolOptions = {}) {
  const events: RoutingEvent[] = []
  const pool = cluster.makePool(
    { waitMs: 5000, ...options, connectionString: poolUrl(cluster.sandbox.nodes, login) },
    events,
  )
  const untilOnReplica = () =>
    untilSeen(
      'a read on a replica',
      () => tracesOf(pool, () => pool.query(read)),
      ({ on }: { on: Record<string, number> }) => on['replica'] === 1,
    )
  await untilOnReplica()
  return { pool, events, untilOnReplica }
}

it.each([
  'select pg_is_in_recovery()',
  'select pg_last_wal_replay_lsn()',
  `select current_setting('transaction_read_only')`,
  'select system_identifier from pg_control_system()',
  'select source from pg_settings',
  'select 1 where pg_catalog.pg_backend_pid() = 1',
  'select 1.5 * 1000',
  'select 1::text',
])('a role whose search_path begins with namesakes does not ask PostgreSQL by %s', async (text) => {
  for (const node of cluster.sandbox.nodes) expect(await refusal(poolUrl([node], login), text)).toBe('42501')
})

it('a pool of such a role asks PostgreSQL: what its servers are, where a write and a replica are, and what names there are', async () => {
  const { pool, events, untilOnReplica } = await openPool()
  await pool.query('insert into item values (1)')
  const seen = await pool.query(read)
  expect(seen.rows).toEqual([{ value: 0 }, { value: 1 }])
  await untilOnReplica()
  expect(events.map(({ kind }) => kind)).toEqual(['primary-changed'])
})

it('and whether a replica has what an observed read needs', async () => {
  const { pool } = await openPool({ parkMs: 10_000 })
  await cluster.pauseReplicas()
  await pool.query('insert into item values (2)')
  const client = await pool.connect({ readOnly: true })
  const reading = client.query(read)
  await cluster.resumeReplicas()
  expect((await reading).rows).toContainEqual({ value: 2 })
  client.release()
})

it('and whether a server has let go of a write that the application gave up on', async () => {
  const { pool, events, untilOnReplica } = await openPool({ query_timeout: 200 })
  const late = 'insert into item select 3 from pg_catalog.pg_sleep(1)'
  await expect(pool.query(late)).rejects.toMatchObject({ outcome: 'unknown' })
  expect(events.map(({ kind }) => kind)).toContain('writes-uncertain')
  await untilOnReplica()
  expect((await pool.query(read)).rows).toContainEqual({ value: 3 })
})

it('and whether a replica that ran a function for a hint was promoted meanwhile', async () => {
  const { pool } = await openPool()
  await cluster.settle()
  await cluster.pauseReplicas()
  await cluster.onPrimary('insert into item values (4)')
  await pool.query('/* maestra: replica */ select public.one()')
  // Had it counted as a write, the position behind it would be one that no replica has.
  expect((await tracesOf(pool, () => pool.query(read))).on).toEqual({ replica: 1 })
})
