import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Pool, RoutingEvent } from '../../../packages/client/src/index.js'
import { ContractCluster, onPrimary, onReplica, used } from '../../harness/contract-cluster.js'

let cluster: ContractCluster
let pool: Pool
let events: RoutingEvent[]

beforeAll(async () => {
  cluster = await ContractCluster.start()
})
afterAll(() => cluster?.end())

beforeEach(async () => {
  events = []
  pool = await cluster.warmPool({}, events)
})
afterEach(async () => {
  await cluster.settle()
  await cluster.endPools()
})

const read = 'select count(*)::int as count from item'

describe('sessions', () => {
  it('S1: are of a pool that is a pg.Pool, and clients are pg.Clients', async () => {
    expect(pool).toBeInstanceOf(pg.Pool)
    const client = await pool.connect()
    expect(client).toBeInstanceOf(pg.Client)
    client.release()
  })

  it.each([
    'begin',
    'START TRANSACTION',
    ' /* here */ begin',
    'commit',
    'rollback',
    'savepoint s',
    '/* maestra: replica */ begin',
  ])('S1: refuse %j through the pool itself, where the next statement would be on another connection', async (text) => {
    await expect(pool.query(text)).rejects.toMatchObject({ code: 'transaction-on-pool' })
  })

  it('S1: that come back inside a transaction take their connection with them', async () => {
    const client = await pool.connect()
    await client.query('begin')
    const { rows } = await client.query('select pg_backend_pid() as pid')
    client.release()
    await pool.query(`insert into item (name) values ('s1')`)
    expect(events).toContainEqual(expect.objectContaining({ kind: 'transaction-left-open' }))
    const text = `select count(*)::int as count from pg_stat_activity where pid = ${rows[0].pid} and state like 'idle in transaction%'`
    expect(await cluster.onPrimary(text)).toEqual([{ count: 0 }])
  })

  it('S2: borrow a replica for each read, and keep the connection that runs their first other statement', async () => {
    const client = await pool.connect()
    expect(await used(pool, () => client.query(read))).toEqual(onReplica)
    await client.query('create temp table mine (id serial)')
    const pids = new Set<number>()
    for (let each = 0; each < 5; each += 1) {
      await client.query('insert into mine default values')
      const { rows } = await client.query('select lastval()::int as last, pg_backend_pid() as pid')
      expect(rows[0].last).toBe(each + 1)
      pids.add(rows[0].pid)
    }
    expect(pids.size).toBe(1)
    expect(await used(pool, () => client.query(read))).toEqual(onPrimary)
    client.release()
  })

  it('S2: keep the connection whose process was asked for', async () => {
    await pool.query(`insert into item (name) values ('s2')`)
    const client = await pool.connect()
    const { processID } = client as unknown as { processID: number }
    const { rows } = await client.query('select pg_backend_pid() as pid')
    expect(rows).toEqual([{ pid: processID }])
    client.release()
  })

  it('S2: keep a setting for themselves, and never for a read of somebody else', async () => {
    const client = await pool.connect()
    await client.query(`set application_name = 'mine'`)
    const { rows } = await client.query(`select current_setting('application_name') as name`)
    expect(rows).toEqual([{ name: 'mine' }])
    client.release()
  })

  it.each([
    'lastval()',
    'pg_backend_pid()',
    'pg_is_in_recovery()',
    `nextval('item_id_seq')`,
    'pg_try_advisory_lock(1)',
    `set_config('work_mem', '1MB', false)`,
  ])('S2: never ask a replica for %s', async (call) => {
    await cluster.onPrimary(`select nextval('item_id_seq')`)
    expect((await used(pool, () => pool.query(`select ${call}`).catch(() => {}))).replica).toBe(0)
  })

  it('S3: stay on the primary with BEGIN READ ONLY', async () => {
    const client = await pool.connect()
    await client.query('begin read only')
    expect(await used(pool, () => client.query(read))).toEqual(onPrimary)
    const { rows } = await client.query('select pg_is_in_recovery() as standby')
    expect(rows).toEqual([{ standby: false }])
    await client.query('commit')
    client.release()
  })

  it('S3: that read only are on a replica that has what they must see, and are refused what is no read', async () => {
    await pool.query(`insert into item (name) values ('s3')`)
    await cluster.settle()
    const result = await pool.transaction(
      async (client) => {
        await expect(client.query(`insert into item (name) values ('refused')`)).rejects.toMatchObject({
          code: 'not-read-only',
        })
        return await client.query(`select count(*)::int as count from item where name = 's3'`)
      },
      { readOnly: true },
    )
    expect(result.rows).toEqual([{ count: 1 }])
    expect(await cluster.onPrimary(`select count(*)::int as count from item where name = 'refused'`)).toEqual([
      { count: 0 },
    ])
  })

  it('S3: that read only see no replica that is behind: the primary, or an error', async () => {
    await cluster.stop()
    await pool.query(`insert into item (name) values ('s3 late')`)
    const seen = await pool
      .transaction((client) => client.query(`select count(*)::int as count from item where name = 's3 late'`), {
        readOnly: true,
      })
      .then(
        ({ rows }) => rows[0].count,
        (error) => error.code,
      )
    expect([1, 'replica-behind']).toContain(seen)
  })

  it('S3: that hold a client on a replica are not given what is older than a write that came meanwhile', async () => {
    const client = await pool.connect({ readOnly: true })
    await client.query(read)
    await cluster.stop()
    await pool.query(`insert into item (name) values ('s3 meanwhile')`)
    const seen = await client.query(`select count(*)::int as count from item where name = 's3 meanwhile'`).then(
      ({ rows }) => rows[0].count,
      (error) => error.code,
    )
    client.release()
    expect([1, 'replica-behind']).toContain(seen)
  })

  it('S4: begin on every connection, those of replicas too, with what a listener of connect sends', async () => {
    const profiled = await cluster.pool()
    const asked: unknown[] = []
    profiled.on('connect', (client) => {
      asked.push(client)
      void client.query(`set search_path = elsewhere, public`)
    })
    await cluster.onPrimary('create schema if not exists elsewhere')
    await cluster.onPrimary('create table if not exists elsewhere.item (id int)')
    await cluster.settle()
    await cluster.warm(profiled)
    for (let each = 0; each < 10; each += 1) expect((await profiled.query(read)).rows).toEqual([{ count: 0 }])
    expect(asked.length).toBeGreaterThan(1)
    await cluster.onPrimary('drop schema elsewhere cascade')
  })

  it('S4: use no replica on which that fails, and tell of it', async () => {
    const told: RoutingEvent[] = []
    const profiled = await cluster.pool({}, told)
    // Not on a standby.
    profiled.on(
      'connect',
      (client) => void client.query('create temp table if not exists scratch (id int)').catch(() => {}),
    )
    await waitUntil(
      async () => {
        await profiled.query(read)
        const isTold = told.some(({ kind }) => kind === 'session-profile-failed')
        return isTold ? { done: true, value: undefined } : { done: false, seen: JSON.stringify(told) }
      },
      { awaited: 'the event', deadline: Deadline.after(10_000) },
    )
    for (let each = 0; each < 10; each += 1) await profiled.query(read)
    expect(profiled.stats().nodes.flatMap(({ role, statements }) => (role === 'replica' ? [statements] : []))).toEqual([
      0, 0,
    ])
  })
})
