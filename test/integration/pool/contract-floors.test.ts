import type pg from 'pg'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Pool, StatementOptions } from '../../../packages/client/src/index.js'
import { routedCluster } from '../../harness/routed-cluster.js'
import { untilRows } from '../../harness/sql.js'
import { untilSeen } from '../../harness/until-seen.js'

let written = 0

const cluster = routedCluster({
  schema: 'create table item (value int); insert into item values (0)',
})
beforeEach(async () => {
  written = 0
  await cluster.onPrimary('update item set value = 0')
})

const read = 'select value from item'
const eventually: pg.QueryConfig & StatementOptions = { text: read, consistency: 'eventual' }

/** Writes the next number through the pool. */
async function write(pool: Pick<Pool, 'query'>): Promise<number> {
  written += 1
  const value = written
  await pool.query('update item set value = $1', [value])
  return value
}

/** The same by somebody of whom no pool knows. */
async function writeElsewhere(): Promise<number> {
  written += 1
  await cluster.onPrimary(`update item set value = ${written}`)
  return written
}

const valueIn = async (query: Promise<pg.QueryResult>) => (await query).rows[0]?.value
const untilReplayed = () =>
  Promise.all(cluster.sandbox.replicas.map((replica) => untilRows(replica.url, read, [{ value: written }])))

describe('R9: statements of one client', () => {
  it('R9: run one after the other in the order of their calls', async () => {
    const pool = await cluster.openPool()
    const client = await pool.connect()
    const seen = await Promise.all([1, 2, 3].flatMap(() => [write(client), valueIn(client.query(read))]))
    client.release()
    expect(seen).toEqual([1, 1, 2, 2, 3, 3])
  })

  it('R9: begin with reads that borrow a server each, and a write behind them does not overtake', async () => {
    const pool = await cluster.openPool()
    const client = await pool.connect()
    const seen = await Promise.all([valueIn(client.query(read)), write(client), valueIn(client.query(read))])
    client.release()
    expect(seen).toEqual([0, 1, 1])
  })

  it('R9: beside a write of the same pool see it or not, and never fail', async () => {
    const pool = await cluster.openPool()
    for (let round = 0; round < 30; round += 1) {
      const before = written
      const [after, seen] = await Promise.all([write(pool), valueIn(pool.query(read))])
      expect([before, after]).toContain(seen)
    }
  })
})

describe('R9: reads of a scope', () => {
  it('R9: stay on one node with sticky, which they do not without', async () => {
    const nodesOf = async (pool: Pool) => {
      const count = () => pool.stats().nodes.map(({ statements }) => statements)
      const before = count()
      await pool.session(async () => {
        for (let number = 0; number < 10; number += 1) await pool.query(read)
      })
      return count().filter((statements, index) => statements > (before[index] ?? 0)).length
    }
    const sticky = cluster.makePool({ sticky: true })
    await untilSeen(
      'reads on replicas',
      () => sticky.query(read).then(() => sticky.explainRoute(read).reason),
      (reason) => reason === 'replica-has-it',
    )
    expect(await nodesOf(sticky)).toBe(1)
    expect(await nodesOf(await cluster.openPool())).toBe(2)
  })
})

describe('R10: what others wrote', () => {
  it.each([
    { whose: 'the pool', ask: (pool: Pool) => pool.query(read) },
    { whose: 'a session', ask: (pool: Pool) => pool.session(() => pool.query(read)) },
    {
      whose: 'a client',
      ask: async (pool: Pool) => {
        const client = await pool.connect()
        return await client.query(read).finally(() => client.release())
      },
    },
  ])('R10: before a pool started is seen by the first reads of $whose', async ({ ask }) => {
    await untilReplayed()
    await cluster.pauseReplicas()
    const wanted = await writeElsewhere()
    const pool = cluster.makePool()
    // Before the names of the database are known everything is on the primary: also what is read behind that.
    await untilSeen(
      'reads that a replica may answer',
      async () => {
        expect(await valueIn(ask(pool))).toBe(wanted)
        return pool.explainRoute(read).statement.kind
      },
      (kind) => kind === 'read',
    )
    expect(await valueIn(ask(pool))).toBe(wanted)
    expect(await valueIn(pool.query(eventually))).toBe(0)
  })

  it('R10: is seen by who was told of it by NOTIFY', async () => {
    const pool = await cluster.openPool()
    await untilReplayed()
    await cluster.pauseReplicas()
    const client = await pool.connect()
    const told = new Promise((resolve) => client.once('notification', resolve))
    await client.query('listen changed')
    const wanted = await writeElsewhere()
    expect(await valueIn(pool.query(eventually))).toBe(0)
    await cluster.onPrimary('notify changed')
    await told
    expect(await valueIn(pool.query(read))).toBe(wanted)
    client.release(true)
  })

  it('R10: is seen at the level strong, and not at eventual, which is for those who choose it', async () => {
    const pool = await cluster.openPool()
    const strong = await cluster.openPool({ consistency: 'strong' })
    await untilReplayed()
    await cluster.pauseReplicas()
    const wanted = await writeElsewhere()
    expect(await valueIn(pool.query({ text: read, consistency: 'strong' }))).toBe(wanted)
    expect(await valueIn(pool.query(eventually))).toBe(0)
    expect(await valueIn(strong.query(read))).toBe(wanted)
  })

  it('R10: is asked of the primary first at the level strong, and explainRoute says so', async () => {
    const pool = await cluster.openPool()
    const strong = await cluster.openPool({ consistency: 'strong' })
    await untilReplayed()
    const has = { node: expect.any(String), reason: 'replica-has-it' }
    const asks = { node: undefined, reason: 'capture-awaited' }
    await untilSeen(
      'replicas to have it',
      () => pool.explainRoute(read).reason,
      (reason) => reason === 'replica-has-it',
    )
    expect(pool.explainRoute({ text: read, consistency: 'strong' })).toMatchObject(asks)
    expect(pool.explainRoute(read)).toMatchObject(has)
    expect(strong.explainRoute(read)).toMatchObject(asks)
    expect(strong.explainRoute({ text: read, consistency: 'eventual' })).toMatchObject(has)
  })

  it('R10: is not missed for longer than maxLag by a read at eventual', async () => {
    const pool = await cluster.openPool({ consistency: 'eventual', maxLag: 200 })
    await untilReplayed()
    await cluster.pauseReplicas()
    await untilSeen(
      'reads on the primary',
      async () => {
        await writeElsewhere()
        return pool.explainRoute(read).reason
      },
      (reason) => reason === 'no-replica',
    )
    expect(await valueIn(pool.query(read))).toBe(written)
  })
})
