import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Pool, type RoutingEvent } from '../../../packages/client/src/index.js'
import { ContractCluster, onPrimary, onReplica, used } from '../../harness/contract-cluster.js'
import { FaultyLink } from '../../harness/faulty-link.js'
import { sql } from '../../harness/sql.js'

let cluster: ContractCluster
let pool: Pool
let events: RoutingEvent[]

beforeAll(async () => {
  cluster = await ContractCluster.start()
  await cluster.onPrimary(
    `create function add(given text) returns int language sql as $$ insert into item (name) values (given) returning id $$`,
  )
  await cluster.settle()
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
/** Some seconds. */
const long = 'select count(*) from generate_series(1, 20000000) series'
const shorter = 'select count(*) from generate_series(1, 12000000) series'

describe('reads', () => {
  it('R1: is on a replica that has what it needs, and on the primary where none has', async () => {
    expect(await used(pool, () => pool.query(read))).toEqual(onReplica)
    await cluster.stop()
    await pool.query(`insert into item (name) values ('r1')`)
    expect(await used(pool, () => pool.query(read))).toEqual(onPrimary)
    await cluster.settle()
    await cluster.warm(pool)
  })

  it('R4: are on the primary while a pooler stands in between, which is told', async () => {
    const links = await Promise.all(cluster.sandbox.nodes.map((node) => FaultyLink.to(node)))
    // As a pooler does, it tells of a process that is not the one that answers.
    for (const link of links) link.alter = withOtherProcess
    const { username, password } = new URL(cluster.sandbox.primary.url)
    const hosts = links.map(({ host, port }) => `${host}:${port}`).join(',')
    const pooled = new Pool({ connectionString: `postgresql://${username}:${password}@${hosts}/postgres` })
    const told: RoutingEvent[] = []
    pooled.on('pooler-in-between', (event) => void told.push(event))
    try {
      for (let each = 0; each < 20; each += 1) await pooled.query(read)
      expect(told.length).toBeGreaterThan(0)
      expect(pooled.stats().nodes.flatMap(({ role, statements }) => (role === 'replica' ? [statements] : []))).toEqual([
        0, 0,
      ])
    } finally {
      await pooled.end()
      await Promise.all(links.map((link) => link.close()))
    }
  })

  it('R5: wait in the pool for a replica that is a little late, and see what they were to see', async () => {
    for (const replica of cluster.sandbox.replicas) await replica.lag(5)
    try {
      for (let number = 0; number < 50; number += 1) {
        await pool.query('insert into item (name) values ($1)', [`parked ${number}`])
        const { rows } = await pool.query('select name from item where name = $1', [`parked ${number}`])
        expect(rows).toHaveLength(1)
      }
      const { parked, byReason } = pool.stats()
      expect(parked.total).toBeGreaterThan(0)
      expect(byReason['replica-waited-for'] ?? 0).toBeGreaterThan(0)
    } finally {
      for (const replica of cluster.sandbox.replicas) await replica.lag(0)
    }
  })

  it('R6: of late replicas take only so many connections of the primary: the others wait, then fail, and writes go on', async () => {
    const small = await cluster.warmPool({ max: 2, reserve: 1, waitMs: 400 })
    await cluster.stop()
    await small.query(`insert into item (name) values ('r6')`)
    const both = [small.query(shorter), small.query(shorter)]
    await expect(Promise.all(both)).rejects.toMatchObject({ code: 'primary-overloaded' })
    await small.query(`insert into item (name) values ('r6 goes on')`)
    const ends = await Promise.allSettled(both)
    expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  })

  it('R7: that lost its replica in mid-run is run again elsewhere, once', async () => {
    const running = pool.query(long)
    await waitUntil(
      async () => {
        for (const { url } of cluster.sandbox.replicas) {
          const ended = await sql(
            url,
            `select pg_terminate_backend(pid) from pg_stat_activity where query = '${long}' and state = 'active'`,
          )
          if (ended.length > 0) return { done: true, value: undefined }
        }
        return { done: false, seen: 'it does not run' }
      },
      { awaited: 'the read to run on a replica', deadline: Deadline.after(10_000) },
    )
    expect((await running).rows).toEqual([{ count: '20000000' }])
    expect(pool.stats().retries).toBe(1)
  })

  it('R7: that the application timed out is not run again', async () => {
    const hasty = await cluster.warmPool({ statement_timeout: 100 })
    await expect(hasty.query(long)).rejects.toMatchObject({ code: '57014' })
    expect(hasty.stats().retries).toBe(0)
  })

  it('R7: of a table that the replica does not have yet is asked again on the primary', async () => {
    await cluster.stop()
    await cluster.onPrimary('create table news (id int)')
    expect((await pool.query('select count(*)::int as count from news')).rows).toEqual([{ count: 0 }])
    await cluster.onPrimary('drop table news')
  })

  it('R8: that turns out to write is run on the primary, and the next time at once', async () => {
    const text = `/* maestra: replica */ select add('r8 ' || $1)`
    await pool.query(text, ['first'])
    const { retries } = pool.stats()
    expect(retries).toBe(1)
    await pool.query(text, ['second'])
    expect(pool.stats().retries).toBe(1)
    expect(await cluster.onPrimary(`select count(*)::int as count from item where name like 'r8%'`)).toEqual([
      { count: 2 },
    ])
  })

  it('R9: of one client run behind its write, in the order of the calls', async () => {
    await cluster.stop()
    const client = await pool.connect()
    const [, { rows }] = await Promise.all([
      client.query(`insert into item (name) values ('r9')`),
      client.query(`select count(*)::int as count from item where name = 'r9'`),
    ])
    client.release()
    expect(rows).toEqual([{ count: 1 }])
  })

  it('R9: beside a write of the pool answer with it or without it, and never fail', async () => {
    for (let number = 0; number < 30; number += 1) {
      const [, { rows }] = await Promise.all([
        pool.query('insert into item (name) values ($1)', [`beside ${number}`]),
        pool.query(`select count(*)::int as count from item where name like 'beside %'`),
      ])
      expect([number, number + 1]).toContain(rows[0].count)
    }
  })

  it.each([
    ['the pool', (on: Pool) => on.query(read)],
    ['a session', (on: Pool) => on.session(() => on.query(read))],
    [
      'a client',
      async (on: Pool) => {
        const client = await on.connect()
        return await client.query(read).finally(() => client.release())
      },
    ],
  ])('R10: of %s see what was there when the pool started', async (_what, first) => {
    await cluster.stop()
    const [row] = await cluster.onPrimary(
      `insert into item (name) values ('migration ' || random()) returning (select count(*)::int + 1 from item) as count`,
    )
    const late = await cluster.pool()
    // Before the names of the database are known everything is on the primary: also what is read behind that.
    await waitUntil(
      async () => {
        expect((await first(late)).rows).toEqual([{ count: row?.['count'] }])
        const { reason } = late.explainRoute(read).statement
        return reason === 'proven-read' ? { done: true, value: undefined } : { done: false, seen: reason }
      },
      { awaited: 'a read to be proven', deadline: Deadline.after(10_000), everyMs: 1 },
    )
    expect((await first(late)).rows).toEqual([{ count: row?.['count'] }])
  })

  it('R10: that follow a NOTIFY see what was committed before it', async () => {
    const client = await pool.connect()
    await client.query('listen news')
    const notified = new Promise((resolve) => client.once('notification', resolve))
    await cluster.stop()
    const [row] = await cluster.onPrimary(
      `insert into item (name) values ('notified') returning (select count(*)::int + 1 from item) as count`,
    )
    await cluster.onPrimary('notify news')
    await notified
    const { rows } = await pool.query(read)
    client.release(true)
    expect(rows).toEqual([{ count: row?.['count'] }])
  })

  it('R10: at the level strong see what anybody had committed', async () => {
    await cluster.stop()
    const [row] = await cluster.onPrimary(
      `insert into item (name) values ('strong') returning (select count(*)::int + 1 from item) as count`,
    )
    const { rows } = await pool.query({ text: read, consistency: 'strong' })
    expect(rows).toEqual([{ count: row?.['count'] }])
  })
})

/** BackendKeyData with another process id. */
function withOtherProcess(bytes: Buffer): Buffer {
  const at = bytes.indexOf(Buffer.from([0x4b, 0, 0, 0, 12]))
  if (at >= 0) bytes.writeInt32BE(bytes.readInt32BE(at + 5) + 100_000, at + 5)
  return bytes
}
