import pg from 'pg'
import { describe, expect, it } from 'vitest'
import type { Pool } from '../../../packages/client/src/index.js'
import { routedCluster } from '../../harness/routed-cluster.js'
import { tracesOf } from '../../harness/traces.js'
import { untilSeen } from '../../harness/until-seen.js'

const cluster = routedCluster({
  schema: 'create table item (id int generated always as identity, value int)',
})

const read = 'select count(*)::int from item'
/** No connection is closed because nobody uses it. */
const lasting = { idleTimeoutMillis: 0 }
const backend = 'select pg_backend_pid() as pid'

/** A client of a pool that routes, which is given back afterwards. */
async function withClient<T>(pool: Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  try {
    return await work(client)
  } finally {
    client.release()
  }
}

const first = async (query: Promise<pg.QueryResult>) => Object.values((await query).rows[0] ?? {})[0]
const codeOf = (query: Promise<unknown>) =>
  query.then(
    () => 'none',
    ({ code }) => code,
  )
const openTransactions = async () =>
  await onPrimary(`select count(*)::int as count from pg_stat_activity where state like 'idle in transaction%'`)
async function onPrimary(text: string): Promise<unknown> {
  return Object.values((await cluster.onPrimary(text))[0] ?? {})[0]
}

describe('S1: pool.query', () => {
  it.each([
    'begin',
    'BEGIN ISOLATION LEVEL SERIALIZABLE',
    'start transaction read only',
    'savepoint a',
    'release savepoint a',
    'rollback to savepoint a',
    'commit',
    'end',
    'commit and chain',
    'rollback',
    'abort',
    `prepare transaction 'a'`,
    '/* one */ begin -- two',
  ])('S1: refuses %s, and sends nothing', async (text) => {
    const pool = await cluster.openPool()
    const { value, on } = await tracesOf(pool, () => codeOf(pool.query(text)))
    expect({ value, on }).toEqual({ value: 'transaction-on-pool', on: {} })
  })

  it('S1: is that of a pg.Pool, and clients are pg.Clients, for libraries that ask', async () => {
    const pool = await cluster.openPool()
    expect(pool).toBeInstanceOf(pg.Pool)
    await withClient(pool, async (client) => expect(client).toBeInstanceOf(pg.Client))
  })

  it.each([
    { servers: 'several servers', open: () => cluster.openPool(lasting) },
    { servers: 'a single server', open: async () => cluster.makePool({ ...cluster.singleServer, ...lasting }) },
  ])('S1: of a text that leaves a transaction open closes the connection, on $servers', async ({ open }) => {
    const pool = await open()
    await pool.query(`begin; insert into item (value) values (1)`)
    await untilSeen('no open transaction', openTransactions, (count) => count === 0)
    expect(await onPrimary('select count(*)::int from item where value = 1')).toBe(0)
  })
})

describe('S1: a client', () => {
  it.each([
    { servers: 'several servers', open: () => cluster.openPool(lasting) },
    { servers: 'a single server', open: async () => cluster.makePool({ ...cluster.singleServer, ...lasting }) },
  ])('S1: that comes back inside a transaction loses its connection, on $servers', async ({ open }) => {
    const pool = await open()
    const events: unknown[] = []
    pool.on('transaction-left-open', ({ kind }) => void events.push(kind))
    const client = await pool.connect()
    await client.query('begin')
    const pid = await first(client.query(backend))
    client.release()
    await untilSeen(
      'the end of its process',
      () => onPrimary(`select count(*)::int from pg_stat_activity where pid = ${pid}`),
      (count) => count === 0,
    )
    expect(events).toEqual(['transaction-left-open'])
  })

  it('S1: and one whose transaction has failed, as well', async () => {
    const pool = await cluster.openPool(lasting)
    const client = await pool.connect()
    await client.query('begin')
    expect(await codeOf(client.query('select 1 / 0'))).toBe('22012')
    client.release()
    await untilSeen('no open transaction', openTransactions, (count) => count === 0)
  })
})

describe('S2: a client', () => {
  it('S2: borrows a server for each of its reads, until another statement pins it', async () => {
    const pool = await cluster.openPool({ parkMs: 10_000 })
    await withClient(pool, async (client) => {
      const reads = await tracesOf(pool, () => Promise.all([client.query(read), client.query(read)]))
      expect(reads.on).toEqual({ replica: 2 })
      await client.query(`set application_name = 'mine'`)
      const pinned = await tracesOf(pool, () => client.query(read))
      expect({ on: pinned.on, reasons: pinned.reasons }).toEqual({ on: { primary: 1 }, reasons: { pinned: 1 } })
    })
    const next = await tracesOf(pool, () => withClient(pool, (client) => client.query(read)))
    expect(next.on).toEqual({ replica: 1 })
  })

  it.each([
    {
      what: 'a temporary table',
      first: 'create temporary table mine as select 7 as value',
      look: 'select value from mine',
      gives: 7,
    },
    {
      what: 'a setting',
      first: `set application_name = 'mine'`,
      look: `select current_setting('application_name')`,
      gives: 'mine',
    },
    { what: 'a prepared statement', first: 'prepare mine as select 8 as value', look: 'execute mine', gives: 8 },
    {
      what: 'an advisory lock',
      first: 'select pg_advisory_lock(4711)',
      look: 'select pg_advisory_unlock(4711)',
      gives: true,
    },
    {
      what: 'the last value of a sequence',
      first: 'insert into item (value) values (2) returning id',
      look: 'select lastval()::int',
      gives: undefined,
    },
    { what: 'a process', first: backend, look: backend, gives: undefined },
  ])('S2: is pinned to the very connection that ran its first other statement: $what is there', async (each) => {
    const pool = await cluster.openPool()
    // Others take and give back connections meanwhile.
    const others = Promise.all(Array.from({ length: 20 }, () => pool.query(`/* maestra: primary */ ${read}`)))
    await withClient(pool, async (client) => {
      await client.query(read)
      const value = await first(client.query(each.first))
      await Promise.all(Array.from({ length: 5 }, () => pool.query(`insert into item (value) values (3)`)))
      expect(await first(client.query(each.look))).toBe(each.gives ?? value)
    })
    await others
  })

  it.each([
    'lastval()',
    'pg_backend_pid()',
    'pg_is_in_recovery()',
    `nextval('item_id_seq')`,
    'pg_try_advisory_lock(1)',
    `set_config('work_mem', '1MB', false)`,
  ])('S2: never reads %s on a replica', async (call) => {
    const pool = await cluster.openPool()
    const { on } = await tracesOf(pool, () => pool.query(`select ${call}`).catch(() => {}))
    expect(on).toEqual({ primary: 1 })
  })

  it('S2: is pinned by a submittable', async () => {
    const pool = await cluster.openPool()
    await withClient(pool, async (client) => {
      const query = new pg.Query<{ pid: number }>(backend)
      const ended = new Promise<{ pid: number }>((resolve) => query.on('row', resolve))
      client.query(query)
      const { pid } = await ended
      const reads = await tracesOf(pool, () => client.query(read))
      expect(reads.reasons).toEqual({ pinned: 1 })
      expect(await first(client.query(backend))).toBe(pid)
    })
  })

  it.each([
    { what: 'processID', touch: (client: pg.PoolClient) => (client as unknown as { processID: number }).processID },
    { what: 'connection', touch: (client: pg.PoolClient) => (client as unknown as { connection: object }).connection },
  ])('S2: is pinned when somebody touches its $what', async ({ what, touch }) => {
    const pool = await cluster.openPool()
    await pool.query('insert into item (value) values (4)')
    await withClient(pool, async (client) => {
      await client.query(read)
      const touched = touch(client)
      const { value, reasons } = await tracesOf(pool, () => client.query(read))
      expect({ reasons, count: value.rows.length }).toEqual({ reasons: { pinned: 1 }, count: 1 })
      expect(touch(client)).toBe(touched)
      if (what === 'processID') expect(await first(client.query(backend))).toBe(touched)
    })
  })

  it('S2: says that it has no connection yet when none is there to be touched', async () => {
    const pool = cluster.makePool()
    await withClient(pool, async (client) => {
      expect(() => (client as unknown as { processID: number }).processID).toThrow(/no connection yet/)
    })
  })

  it(`S2: is pinned by a listener of 'notification', and hears what its own connection is told`, async () => {
    const pool = await cluster.openPool()
    const client = await pool.connect()
    const heard = new Promise<pg.Notification>((resolve) => client.on('notification', resolve))
    const { reasons } = await tracesOf(pool, () => client.query(read))
    expect(reasons).toEqual({ pinned: 1 })
    await client.query('listen news')
    await pool.query(`select pg_notify('news', 'hello')`)
    expect((await heard).payload).toBe('hello')
    client.release(true)
  })

  it('S2: gives back no connection on which a hinted read has changed a setting', async () => {
    const pool = await cluster.openPool({ max: 1 })
    const names = async () =>
      await Promise.all(
        Array.from({ length: 8 }, () =>
          first(pool.query(`/* maestra: replica */ select current_setting('application_name')`)),
        ),
      )
    const set = `/* maestra: replica */ select set_config('application_name', 'left behind', false)`
    const { on } = await tracesOf(pool, async () => {
      await withClient(pool, (client) => client.query(set))
      await pool.query(set)
    })
    expect(on).toEqual({ replica: 2 })
    expect(new Set(await names())).toEqual(new Set(['']))
  })
})

describe('W7: writes of sessions', () => {
  it('W7: are told at last, also while they hold all connections that are older than the one that watches', async () => {
    const pool = await cluster.openPool({ ...lasting, max: 4 })
    /** The watch opens another connection then, which is no witness of what is under way. */
    const replaceWatch = () =>
      onPrimary(
        `select count(pg_terminate_backend(pid))::int from pg_stat_activity
         where query like '%with recovery%' and pid <> pg_backend_pid()`,
      )
    let isOver = false
    let written = 0
    const write = () =>
      pool.query('insert into item (value) values (1)').then(
        () => {
          written += 1
        },
        () => {},
      )
    const writers = Array.from({ length: 32 }, async () => {
      while (!isOver) await pool.session(write)
    })
    for (let round = 0; round < 15; round += 1) {
      await replaceWatch()
      const before = written
      await untilSeen(
        'writes that are told',
        () => written,
        (count: number) => count > before + 20,
      )
    }
    isOver = true
    await Promise.all(writers)
  })
})
