import pg from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { StatementOptions } from '../../../packages/client/src/index.js'
import type { SandboxNode } from '../../../packages/maestra/src/index.js'
import { poolUrl } from '../../harness/pool-url.js'
import { routedCluster } from '../../harness/routed-cluster.js'
import { sql, untilRows } from '../../harness/sql.js'
import { tracesOf } from '../../harness/traces.js'
import { untilSeen } from '../../harness/until-seen.js'

const clients: pg.Client[] = []

const cluster = routedCluster({
  schema: `create table item (id int);
     create table dead (id int);
     create table other (id int);
     create role app login password 'app' connection limit 6;
     grant select on item to app`,
})
beforeEach(async () => {
  await cluster.onPrimary('truncate item')
})
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.end()))
})

/** Eventually: what a replica has not replayed yet is no reason to ask the primary. */
const eventual = (text: string): pg.QueryConfig & StatementOptions => ({ text, consistency: 'eventual' })

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  clients.push(client)
  await client.connect()
  return client
}

/** From now on a read of `item` waits, on every server; until the client's transaction ends. */
async function holdReads(): Promise<pg.Client> {
  const holder = await connect(cluster.sandbox.primary.url)
  await holder.query('begin')
  await holder.query('lock table item in access exclusive mode')
  // What commits behind it carries it to the replicas at once.
  await cluster.onPrimary('insert into other values (1)')
  await Promise.all(
    cluster.sandbox.replicas.map(({ url }) =>
      untilRows(
        url,
        `select count(*)::int from pg_locks where mode = 'AccessExclusiveLock' and relation = 'item'::regclass`,
        [{ count: 1 }],
      ),
    ),
  )
  return holder
}

/** The process that runs a statement which begins like this, and on which replica. */
async function processOf(text: string): Promise<{ pid: number; on: SandboxNode; other: SandboxNode }> {
  const [first, second] = cluster.sandbox.replicas as [SandboxNode, SandboxNode]
  let found: { pid: number; on: SandboxNode; other: SandboxNode } | undefined
  await untilSeen(
    `${text} on a replica`,
    async () => {
      for (const [on, other] of [
        [first, second],
        [second, first],
      ] as const) {
        const [row] = await sql<{ pid: number }>(
          on.url,
          `select pid from pg_stat_activity where state = 'active' and query like '${text}%' and pid <> pg_backend_pid()`,
        )
        if (row !== undefined) found = { pid: row.pid, on, other }
      }
      return found?.pid
    },
    (pid) => pid !== undefined,
  )
  if (found === undefined) throw new Error('unreachable')
  return found
}

const settle = (query: Promise<pg.QueryResult>) =>
  query.then(
    ({ rows }) => rows[0],
    ({ code }) => code,
  )

describe('R7: a read is asked again once', () => {
  it('R7: 57P01: elsewhere, when its process is ended', async () => {
    const pool = await cluster.openPool()
    const holder = await holdReads()
    const { value, retries, on, reasons } = await tracesOf(pool, async () => {
      const reading = settle(pool.query('select count(*)::int from item'))
      const { pid, on } = await processOf('select count(*)::int from item')
      await sql(on.url, `select pg_terminate_backend(${pid})`)
      await holder.query('rollback')
      return await reading
    })
    expect({ value, retries }).toEqual({ value: { count: 0 }, retries: 1 })
    // It counts once, where it was answered.
    expect(Object.values(on)).toEqual([1])
    expect(Object.values(reasons)).toEqual([1])
  })

  it('R7: and not twice: the second error is told', async () => {
    const pool = await cluster.openPool()
    const holder = await holdReads()
    const reading = settle(pool.query('select count(*)::int from item'))
    const first = await processOf('select count(*)::int from item')
    await sql(first.on.url, `select pg_terminate_backend(${first.pid})`)
    const second = await untilElsewhere(first.pid)
    await sql(second.url, `select pg_terminate_backend(${second.pid})`)
    expect(await reading).toBe('57P01')
    await holder.query('rollback')
  })

  it('R7: 53300: elsewhere, when a replica has no connection left', async () => {
    // One is the watch's, the others are taken.
    const taken = cluster.sandbox.replicas.map((replica) => poolUrl([replica], { user: 'app', password: 'app' }))
    await Promise.all(taken.flatMap((url) => Array.from({ length: 5 }, () => connect(url))))
    const pool = cluster.makePool({
      connectionString: poolUrl(cluster.sandbox.nodes, { user: 'app', password: 'app' }),
    })
    const read = () => tracesOf(pool, () => settle(pool.query('select count(*)::int from item')))
    await untilSeen(
      'a read that no replica could take',
      async () => {
        const traces = await read()
        expect(traces.value).toEqual({ count: 0 })
        return traces.reasons
      },
      (reasons: Record<string, number>) => reasons['no-replica'] === 1,
    )
    await clients[0]?.end()
    await untilSeen(
      'a read on the one that has a connection again',
      () => read().then(({ on }) => on),
      (on: Record<string, number>) => on['replica'] === 1,
    )
  })

  it('R7: 40001: elsewhere, when the replica has to remove what it reads', async () => {
    const pool = await cluster.openPool()
    await cluster.onPrimary(`insert into dead select generate_series(1, 1000)`)
    for (const { url } of cluster.sandbox.replicas) {
      await untilRows(url, 'select count(*)::int from dead', [{ count: 1000 }])
      await sql(url, 'alter system set max_standby_streaming_delay = 0')
      await sql(url, 'select pg_reload_conf()')
      await untilRows(url, 'show max_standby_streaming_delay', [{ max_standby_streaming_delay: '0' }])
    }
    const text = 'select count(*)::int from dead, generate_series(1, 40000)'
    const { value, retries } = await tracesOf(pool, async () => {
      const reading = settle(pool.query(text))
      const { other } = await processOf(text)
      await other.pause()
      await cluster.onPrimary('delete from dead where id > 500')
      await cluster.onPrimary('vacuum dead')
      const outcome = await reading
      // As long as it stands still nothing conflicts with what it is asked.
      await sql(other.url, 'alter system reset max_standby_streaming_delay')
      await sql(other.url, 'select pg_reload_conf()')
      await untilRows(other.url, 'show max_standby_streaming_delay', [{ max_standby_streaming_delay: '30s' }])
      return outcome
    })
    // The other one still has them all, the primary has not.
    expect([20_000_000, 40_000_000]).toContain((value as { count: number }).count)
    expect(retries).toBe(1)
  })
})

describe('R7: what DDL has made and a replica has not replayed', () => {
  it.each([
    { code: '42P01', ddl: 'create table fresh_table (id int)', text: 'select count(*)::int from fresh_table' },
    { code: '42703', ddl: 'alter table item add fresh int', text: 'select count(fresh)::int from item' },
    {
      code: '42883',
      ddl: `create function fresh() returns int language sql stable return 0`,
      text: '/* maestra: replica */ select fresh() as count',
    },
    {
      code: '42704',
      ddl: `create type fresh_type as enum ('a')`,
      text: 'select count(*)::int from item where null::fresh_type is not null',
    },
  ])('R7: $code: is asked of the primary', async ({ code, ddl, text }) => {
    const pool = await cluster.openPool()
    await cluster.pauseReplicas()
    await pool.query(ddl)
    for (const { url } of cluster.sandbox.replicas) await expect(sql(url, text)).rejects.toMatchObject({ code })
    await untilSeen(
      'a read that a replica may answer',
      () => pool.explainRoute(text).statement.kind,
      (kind) => kind === 'read',
    )
    const { value, on, retries, reasons } = await tracesOf(pool, () => settle(pool.query(eventual(text))))
    expect({ value, on, retries, reasons }).toEqual({
      value: { count: 0 },
      on: { primary: 1 },
      retries: 1,
      reasons: { 'refused-by-replica': 1 },
    })
  })

  it('R7: a name that nobody has made is an error of the primary', async () => {
    const pool = await cluster.openPool()
    const { value, retries } = await tracesOf(pool, () => settle(pool.query('select * from nobody_made_it')))
    expect({ value, retries }).toEqual({ value: '42P01', retries: 1 })
  })
})

describe('R7: a read that its own limit or its owner ended', () => {
  it('R7: 57014: is never asked again', async () => {
    const pool = await cluster.openPool({ statement_timeout: 300 })
    const holder = await holdReads()
    const timed = await tracesOf(pool, () => settle(pool.query('select count(*)::int from item')))
    expect([timed.value, timed.retries]).toEqual(['57014', 0])
    const cancelled = await tracesOf(await cluster.openPool(), async () => {
      const reading = settle(pool.query('select count(*)::int from item'))
      const { pid, on } = await processOf('select count(*)::int from item')
      await sql(on.url, `select pg_cancel_backend(${pid})`)
      return await reading
    })
    expect([cancelled.value, cancelled.retries]).toEqual(['57014', 0])
    await holder.query('rollback')
  })
})

/** Where the read that was on a replica has gone to. */
async function untilElsewhere(before: number): Promise<{ url: string; pid: number }> {
  let found: { url: string; pid: number } | undefined
  await untilSeen(
    'the read elsewhere',
    async () => {
      for (const { url } of cluster.sandbox.nodes) {
        const [row] = await sql<{ pid: number }>(
          url,
          `select pid from pg_stat_activity where query like 'select count(*)::int from item%' and wait_event_type = 'Lock' and pid <> ${before}`,
        )
        if (row !== undefined) found = { url, pid: row.pid }
      }
      return found
    },
    (seen) => seen !== undefined,
  )
  if (found === undefined) throw new Error('unreachable')
  return found
}
