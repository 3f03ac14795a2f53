import type pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Pool, PoolOptions, RoutingEvent } from '../../../packages/client/src/index.js'
import type { SandboxNode } from '../../../packages/maestra/src/index.js'
import { FaultyLink } from '../../harness/faulty-link.js'
import { routedCluster } from '../../harness/routed-cluster.js'
import { sql, untilRows } from '../../harness/sql.js'
import { startServers } from '../../harness/start-servers.js'
import { tracesOf } from '../../harness/traces.js'
import { untilSeen } from '../../harness/until-seen.js'

const cluster = routedCluster({ schema: 'create table item (value int); insert into item values (0)' })
let still: SandboxNode
/** One before the primary, one before the other replica. */
let links: readonly [FaultyLink, FaultyLink]

beforeAll(async () => {
  const { sandbox } = cluster
  const [first, second] = sandbox.replicas as [SandboxNode, SandboxNode]
  still = second
  links = [await FaultyLink.to(sandbox.primary), await FaultyLink.to(first)]
})
beforeEach(async () => {
  await cluster.onPrimary('update item set value = 0')
  for (const { url } of cluster.sandbox.replicas) await untilRows(url, read, [{ value: 0 }])
  await still.pause()
})
afterEach(async () => {
  await cluster.endPools()
  const [first] = cluster.sandbox.replicas
  for (const link of links) link.alter = (bytes) => bytes
  if (first !== undefined) links[1].lead(first)
})
afterAll(async () => {
  await Promise.all((links ?? []).map((link) => link.close()))
})

const read = 'select value from item'
const eventually = { text: read, consistency: 'eventual' } as { text: string }

function open(options: PoolOptions = {}): Pool {
  const { username, password } = new URL(cluster.sandbox.primary.url)
  const hosts = links.map(({ host, port }) => `${host}:${port}`).join(',')
  return cluster.makePool({ connectionString: `postgresql://${username}:${password}@${hosts}/postgres`, ...options })
}

/** Reads until the replica behind its link is known to have what the pool needs. */
async function untilOnReplica(pool: Pool): Promise<void> {
  await untilSeen(
    'a read on the replica',
    () => pool.query(read).then(() => pool.explainRoute(read).reason),
    (reason) => reason === 'replica-has-it',
  )
  // The connection of a lane goes back a turn after its last answer.
  await untilSeen(
    'an idle connection',
    () => pool.stats().nodes[1]?.idleCount,
    (count) => count === 1,
  )
}

/** As a pooler does, it tells of another process than the one that answers: BackendKeyData is changed. */
function asPooler(bytes: Buffer): Buffer {
  const at = bytes.indexOf(Buffer.from([0x4b, 0, 0, 0, 12]))
  if (at >= 0) bytes.writeInt32BE(bytes.readInt32BE(at + 5) + 100_000, at + 5)
  return bytes
}

describe('R2: what is known of a server', () => {
  it('R2: is not used for a connection that was opened anew and leads to another one', async () => {
    const pool = open()
    await pool.query('update item set value = 1')
    await untilOnReplica(pool)
    // The one connection to the replica is taken; who comes next opens another, which leads to a replica that stands still.
    const taken = await pool.connect({ readOnly: true })
    expect((await taken.query(read)).rows).toEqual([{ value: 1 }])
    links[1].lead(still)
    expect(await sql(still.url, read)).toEqual([{ value: 0 }])
    const seen = await Promise.all(Array.from({ length: 5 }, () => pool.query(read)))
    expect(seen.map(({ rows }) => rows)).toEqual(Array.from({ length: 5 }, () => [{ value: 1 }]))
    taken.release()
  })

  it('R2: is not used for a connection that was open before it was seen and leads to another one', async () => {
    const held: (() => void)[] = []
    let isHolding = false
    const verify: pg.PoolConfig['verify'] = (_client, done) => void (isHolding ? held.push(() => done()) : done())
    // Without lanes, where one waits for the connection of the other.
    const pool = open({ verify, lanes: false })
    await pool.query('update item set value = 1')
    await untilOnReplica(pool)
    const taken = await pool.connect({ readOnly: true })
    await taken.query(read)
    links[1].lead(still)
    isHolding = true
    const reading = pool.query(read)
    await untilSeen(
      'a connection to the one that stands still',
      () => held.length,
      (count) => count === 1,
    )
    isHolding = false
    // The address leads back, as the next connection shows, and the watch sees more and more of the replica there.
    const [first] = cluster.sandbox.replicas as [SandboxNode]
    links[1].lead(first)
    await pool.query('update item set value = 2')
    await untilSeen(
      'a look after the connection was opened',
      () => pool.query(eventually).then(() => pool.explainRoute(read).reason),
      (reason) => reason === 'replica-has-it',
    )
    for (const done of held) done()
    expect((await reading).rows).not.toEqual([{ value: 0 }])
    taken.release()
  })

  it('R2: is not compared with how far a server of another system says that it is', async () => {
    const other = await startServers({ replicas: 1 })
    try {
      const [strange] = other.replicas as [SandboxNode]
      const { username, password } = new URL(cluster.sandbox.primary.url)
      await sql(other.primary.url, `alter role "${username}" password '${password}'`)
      await sql(other.primary.url, 'create table item (value int); insert into item values (99)')
      // So far as no log of the other system will be.
      for (let segment = 0; segment < 8; segment += 1) {
        await sql(other.primary.url, 'select pg_switch_wal(), pg_logical_emit_message(true, $$next$$, $$segment$$)')
      }
      await untilRows(strange.url, `select pg_last_wal_replay_lsn() > '0/8000000' as is_far`, [{ is_far: true }])
      const pool = open()
      await pool.query('update item set value = 1')
      await untilOnReplica(pool)
      const taken = await pool.connect({ readOnly: true })
      await taken.query(read)
      links[1].lead(strange)
      const seen = await Promise.all(Array.from({ length: 5 }, () => pool.query(read)))
      expect(seen.map(({ rows }) => rows)).toEqual(Array.from({ length: 5 }, () => [{ value: 1 }]))
      taken.release()
    } finally {
      await other.stop()
    }
  })

  it('R2: is not used for a client that only reads, either', async () => {
    const pool = open()
    await pool.query('update item set value = 1')
    await untilOnReplica(pool)
    const taken = await pool.connect({ readOnly: true })
    links[1].lead(still)
    const client = await pool.connect({ readOnly: true })
    expect((await client.query(read)).rows).toEqual([{ value: 1 }])
    client.release()
    taken.release()
  })
})

describe('R4: behind a pooler', () => {
  it('R4: all reads are on the primary, and it is told', async () => {
    for (const link of links) link.alter = asPooler
    links[1].lead(still)
    const pool = open()
    const events: RoutingEvent[] = []
    pool.on('pooler-in-between', (event) => void events.push(event))
    for (let value = 1; value <= 20; value += 1) {
      await pool.query('update item set value = $1', [value])
      expect((await pool.query(read)).rows).toEqual([{ value }])
      expect((await pool.query(eventually)).rows).toEqual([{ value }])
    }
    await untilSeen(
      'the events',
      () => events.map((event) => 'address' in event && event.address).sort(),
      (addresses: string[]) => addresses.length === 2,
    )
    expect(new Set(events.map((event) => 'address' in event && event.address))).toEqual(
      new Set(links.map(({ host, port }) => `${host}:${port}`)),
    )
    const { nodes } = pool.stats()
    expect(nodes.map(({ statements }) => statements > 0)).toEqual([true, false])
  })

  it('R4: that only connections of the pool go through, and not those that watch, no replica is believed', async () => {
    const pool = open()
    await pool.query('update item set value = 1')
    await untilOnReplica(pool)
    const taken = await pool.connect({ readOnly: true })
    links[1].alter = asPooler
    const { value, on } = await tracesOf(pool, () => Promise.all(Array.from({ length: 5 }, () => pool.query(read))))
    expect(value.map(({ rows }) => rows)).toEqual(Array.from({ length: 5 }, () => [{ value: 1 }]))
    expect(on).toEqual({ primary: 5 })
    taken.release()
  })
})

describe('R4: a pooler that comes between a pool that works and its primary', () => {
  /** More at a time than there are connections to the primary, so that others are opened. */
  const writeAll = (pool: Pool, values: readonly number[]) =>
    Promise.all(values.map((value) => pool.query('update item set value = $1', [value])))

  /** With the connection by which the pool watches staying what it is, as connections do when a name leads elsewhere. */
  async function poolerComes(pool: Pool): Promise<void> {
    links[0].alter = asPooler
    const isTold = new Promise((resolve) => void pool.once('pooler-in-between', resolve))
    await writeAll(pool, [1, 2, 3, 4, 5, 6])
    await isTold
  }

  it('R4: is noticed by the first connection through it: it is told, and all reads are on the primary', async () => {
    const pool = open()
    await pool.query('update item set value = 1')
    await untilOnReplica(pool)
    await poolerComes(pool)
    const { value, on, reasons } = await tracesOf(pool, async () => {
      await pool.query('update item set value = 7')
      return await Promise.all(Array.from({ length: 20 }, () => pool.query(read)))
    })
    expect(new Set(value.map(({ rows }) => rows[0].value))).toEqual(new Set([7]))
    expect(on).toEqual({ primary: 21 })
    expect(reasons).toEqual({ 'row-change': 1, 'pooler-in-between': 20 })
  })

  it('R4: is noticed when it goes, and reads are on replicas again', async () => {
    const pool = open()
    await pool.query('update item set value = 1')
    await untilOnReplica(pool)
    await poolerComes(pool)
    links[0].alter = (bytes) => bytes
    // Those through the pooler have places, so that others are opened.
    const taken = await Promise.all(Array.from({ length: 8 }, () => pool.connect()))
    await Promise.all(taken.map((client) => client.query('begin')))
    await untilSeen(
      'reads on the replica',
      () => pool.query(read).then(() => pool.explainRoute(read).reason),
      (reason) => reason === 'replica-has-it',
    )
    await Promise.all(taken.map((client) => client.query('rollback')))
    for (const client of taken) client.release()
    for (let value = 8; value < 28; value += 1) {
      await writeAll(pool, [value, value, value])
      expect((await pool.query(read)).rows).toEqual([{ value }])
    }
  })
})
