import pg from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Pool } from '../../../packages/client/src/index.js'
import { FlappingReplay } from '../../harness/flapping-replay.js'
import { routedCluster } from '../../harness/routed-cluster.js'
import { complaintsOf } from '../../harness/server-log.js'
import { sql, untilRows } from '../../harness/sql.js'
import { tracesOf } from '../../harness/traces.js'
import { untilSeen } from '../../harness/until-seen.js'

let written = 0
const holders: pg.Client[] = []

const cluster = routedCluster({
  schema: 'create table item (value int); insert into item values (0); create table other (id int)',
})
beforeEach(async () => {
  written = 0
  await cluster.onPrimary('update item set value = 0')
})
const releaseReads = async () => {
  await Promise.all(holders.splice(0).map((holder) => holder.end()))
}
afterEach(releaseReads)

const read = 'select value from item'

/** Writes the next number through the pool. */
async function write(pool: Pick<Pool, 'query'>): Promise<number> {
  written += 1
  const value = written
  await pool.query('update item set value = $1', [value])
  return value
}

const valueIn = async (query: Promise<pg.QueryResult>) => (await query).rows[0]?.value
const untilReplayed = () =>
  Promise.all(cluster.sandbox.replicas.map((replica) => untilRows(replica.url, read, [{ value: written }])))

describe('R1: a read', () => {
  it('R1: is answered by a replica that is known to have what it needs, without a question', async () => {
    const pool = await cluster.openPool()
    await write(pool)
    await untilSeen(
      'that both have it',
      () => pool.explainRoute(read).reason,
      (reason) => reason === 'replica-has-it',
    )
    const { on, reasons, observed } = await tracesOf(pool, () => pool.query(read))
    expect({ on, reasons, observed }).toEqual({
      on: { replica: 1 },
      reasons: { 'replica-has-it': 1 },
      observed: { asked: 0, refused: 0 },
    })
  })

  it('R1: is answered by one that is asked first, when nobody knows that it has it', async () => {
    const pool = await cluster.openPool()
    await untilSeen(
      'an observed read',
      async () => {
        const wanted = await write(pool)
        await untilReplayed()
        const traces = await tracesOf(pool, () => valueIn(pool.query(read)))
        expect(traces.value).toBe(wanted)
        return traces
      },
      ({ reasons, observed }: Awaited<ReturnType<typeof tracesOf>>) =>
        reasons['replica-observed'] === 1 && observed.asked > 0,
    )
  })

  it('R1: waits for one that does not have it yet, and is answered there', async () => {
    const pool = await cluster.openPool({ parkMs: 20_000 })
    await cluster.pauseReplicas()
    const wanted = await write(pool)
    const { value, on, reasons } = await tracesOf(pool, async () => {
      const reading = valueIn(pool.query(read))
      await untilSeen(
        'a read that waits',
        () => pool.stats().parked.now,
        (now) => now === 1,
      )
      await cluster.resumeReplicas()
      return await reading
    })
    expect({ value, on, reasons }).toEqual({ value: wanted, on: { replica: 1 }, reasons: { 'replica-waited-for': 1 } })
  })

  it('R1: is answered by the primary when none gets there in time', async () => {
    const pool = await cluster.openPool()
    await cluster.pauseReplicas()
    const wanted = await write(pool)
    const { value, on, reasons } = await tracesOf(pool, () => valueIn(pool.query(read)))
    expect({ value, on, reasons }).toEqual({ value: wanted, on: { primary: 1 }, reasons: { 'replicas-behind': 1 } })
  })

  it('R1: goes to the one that has it, and not to the one that stands still', async () => {
    const pool = await cluster.openPool()
    const [still, running] = cluster.sandbox.replicas
    await still?.pause()
    const wanted = await write(pool)
    await untilSeen(
      'one that has it',
      () => pool.explainRoute(read).reason,
      (reason) => reason === 'replica-has-it',
    )
    const { value } = await tracesOf(pool, () =>
      Promise.all(Array.from({ length: 20 }, () => valueIn(pool.query(read)))),
    )
    expect(value).toEqual(Array.from({ length: 20 }, () => wanted))
    expect(pool.explainRoute(read).node).toBe(`${running?.host}:${running?.port}`)
  })
})

describe('R3: the position is asked with its own Sync', () => {
  it.each(['read committed', 'repeatable read'])(
    'R3: so rows of a replica that is behind are never delivered with default_transaction_isolation = %s, and its log stays clean',
    async (isolation) => {
      const before = cluster.sandbox.replicas.flatMap((replica) => complaintsOf(cluster.sandbox, replica))
      const replay = await FlappingReplay.of(cluster.sandbox.replicas)
      try {
        const pool = cluster.makePool({ max: 4 })
        pool.on('connect', (client) => void client.query(`set default_transaction_isolation = '${isolation}'`))
        await untilSeen(
          'reads on replicas',
          () => pool.query(read).then(() => pool.explainRoute(read).reason),
          (reason) => /^replica-/.test(reason),
        )
        await untilSeen(
          'replicas that were found behind, and others that were not',
          async () => {
            replay.step()
            const wanted = await write(pool)
            const seen = await Promise.all(Array.from({ length: 4 }, () => valueIn(pool.query(read))))
            expect(seen).toEqual([wanted, wanted, wanted, wanted])
            return pool.stats()
          },
          ({ observed, byReason }: ReturnType<Pool['stats']>) =>
            observed.refused >= 3 && (byReason['replica-observed'] ?? 0) >= 10,
        )
      } finally {
        await replay.end()
      }
      expect(cluster.sandbox.replicas.flatMap((replica) => complaintsOf(cluster.sandbox, replica))).toEqual(before)
    },
  )
})

describe('R5: a replica that is a little late', () => {
  it('R5: is waited for in the pool', async () => {
    const pool = await cluster.openPool({ parkMs: 10_000 })
    await Promise.all(cluster.sandbox.replicas.map((replica) => replica.lag(5)))
    try {
      const { value, on, parked } = await tracesOf(pool, async () => {
        const seen: boolean[] = []
        for (let round = 0; round < 20; round += 1) {
          const wanted = await write(pool)
          seen.push((await valueIn(pool.query(read))) === wanted)
        }
        return seen
      })
      expect(value).toEqual(Array.from({ length: 20 }, () => true))
      expect(on).toEqual({ primary: 20, replica: 20 })
      expect(parked.total).toBeGreaterThan(0)
    } finally {
      await Promise.all(cluster.sandbox.replicas.map((replica) => replica.lag(0)))
    }
  })
})

describe('R5: a replica that stands still', () => {
  it('R5: is not tried by reads that would wait longer than they may', async () => {
    const pool = await cluster.openPool()
    await cluster.pauseReplicas()
    const wanted = await write(pool)
    await untilSeen(
      'a read at once on the primary',
      async () => {
        const traces = await tracesOf(pool, () => valueIn(pool.query(read)))
        expect(traces.value).toBe(wanted)
        expect(traces.on).toEqual({ primary: 1 })
        return traces
      },
      ({ observed, parked }: Awaited<ReturnType<typeof tracesOf>>) => observed.asked + parked.total === 0,
    )
  })

  it('R5: costs a read no more than its budget, and a budget of 0 nothing', async () => {
    const pool = await cluster.openPool({ parkMs: 0 })
    await cluster.pauseReplicas()
    const wanted = await write(pool)
    const { value, on } = await tracesOf(pool, () => valueIn(pool.query(read)))
    expect({ value, on }).toEqual({ value: wanted, on: { primary: 1 } })
  })
})

describe('R6: reads that the primary has to answer for late replicas', () => {
  /** Reads of `item` wait on the primary until `free` is called. */
  async function holdReads(): Promise<() => Promise<void>> {
    const holder = new pg.Client({ connectionString: cluster.sandbox.primary.url })
    holders.push(holder)
    await holder.connect()
    await holder.query('begin')
    await holder.query('lock table item in access exclusive mode')
    return releaseReads
  }
  const held = async () => {
    const [row] = await sql<{ count: number }>(
      cluster.sandbox.primary.url,
      `select count(*)::int from pg_stat_activity where wait_event_type = 'Lock' and query like 'select value%'`,
    )
    return row?.count ?? 0
  }

  it('R6: take at most max less reserve connections; the others wait and fail with primary-overloaded, and writes and clients go on', async () => {
    const pool = await cluster.openPool({ max: 4, reserve: 2, waitMs: 2000 })
    await cluster.pauseReplicas()
    await write(pool)
    const client = await pool.connect()
    await client.query('begin')
    const free = await holdReads()
    const codes: string[] = []
    const outcomes = Array.from({ length: 6 }, () =>
      pool.query(read).then(
        () => 'read',
        ({ code }) => {
          codes.push(code)
          return code
        },
      ),
    )
    await untilSeen('two reads on the primary', held, (count) => count === 2)
    await pool.query('insert into other values (1)')
    await client.query('insert into other values (2)')
    await client.query('commit')
    client.release()
    await untilSeen(
      'four that have failed',
      () => codes.length,
      (count) => count === 4,
    )
    expect(await held()).toBe(2)
    await free()
    expect((await Promise.all(outcomes)).sort()).toEqual([...Array(4).fill('primary-overloaded'), 'read', 'read'])
    expect(pool.stats().fallbacks).toBe(2)
  })

  it.each([
    { pools: 'a pool of a single server', options: () => cluster.singleServer, max: 3 },
    { pools: 'a pool with one connection a server', options: () => ({}), max: 1 },
  ])('R6: take all connections of $pools, which knows no other', async ({ options, max }) => {
    const pool = cluster.makePool({ ...options(), max })
    await pool.query('select')
    await cluster.pauseReplicas()
    await write(pool)
    const free = await holdReads()
    const reads = Array.from({ length: max }, () => valueIn(pool.query(read)))
    await untilSeen('all reads on the primary', held, (count) => count === max)
    await free()
    expect(await Promise.all(reads)).toEqual(Array.from({ length: max }, () => written))
  })
})
