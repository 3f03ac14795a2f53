import { beforeEach, describe, expect, it } from 'vitest'
import type { Pool, RoutingEvent } from '../../../packages/client/src/index.js'
import { RoutedCluster, routedCluster } from '../../harness/routed-cluster.js'
import { sql, untilRows } from '../../harness/sql.js'
import { tracesOf } from '../../harness/traces.js'
import { until } from './subject.js'

const schema = 'create table item (id serial primary key, name text unique)'
const cluster = routedCluster({ schema })
let pool: Pool
let events: RoutingEvent[]

beforeEach(async () => {
  events = []
  pool = await cluster.openPool({}, events)
})

const read = 'select count(*)::int as count from item'

/** The token of a row that is written now, by another pool. */
async function tokenOf(name: string, tokenKeys?: readonly string[]): Promise<string> {
  const other = cluster.makePool(tokenKeys === undefined ? {} : { tokenKeys })
  return await other.session(async (session) => {
    await other.query('insert into item (name) values ($1)', [name])
    return session.token() ?? ''
  })
}

/** The same with another timeline, or another LSN. */
function changed(token: string, change: { readonly timeline?: number; readonly lsn?: bigint }): string {
  const bytes = Buffer.from(token, 'base64url')
  if (change.timeline !== undefined) bytes.writeUInt32BE(change.timeline, 8)
  if (change.lsn !== undefined) bytes.writeBigUInt64BE(change.lsn, 12)
  return bytes.toString('base64url')
}

const readWith = (token: string, on = pool) => on.withToken(token, () => on.query(read))

describe('tokens', () => {
  it('T1: carry what was written to another pool, which reads it though the replicas stand still', async () => {
    await cluster.pauseReplicas()
    try {
      const before = (await pool.query(read)).rows[0].count
      const token = await tokenOf('t1')
      // Without the token a read of this pool shows what was before: the replicas stand still.
      expect((await pool.query(read)).rows[0].count).toBe(before)
      expect((await readWith(token)).rows[0].count).toBe(before + 1)
    } finally {
      await cluster.settle()
    }
  })

  it.each(['', 'x', 'not a token', 'A'.repeat(27), 'A'.repeat(5000), '💥'])(
    'T1: that are none, such as %j, are told and ignored',
    async (token) => {
      expect((await tracesOf(pool, () => readWith(token))).on).toEqual({ replica: 1 })
      if (token !== '') expect(events.map(({ kind }) => kind)).toContain('token-invalid')
    },
  )

  it('T1: that are further than any server are told, ignored and not waited for', async () => {
    const token = changed(await tokenOf('t1 ahead'), { lsn: 0xffff_ffff_0000_0000n })
    await cluster.settle()
    await cluster.untilRouting(pool)
    await readWith(token)
    expect(events).toContainEqual(expect.objectContaining({ kind: 'token-invalid' }))
    expect(pool.stats().parked.expired).toBe(0)
  })

  it('T1: that are further than any server do not hide what their scope writes', async () => {
    const token = changed(await tokenOf('t1 hides'), { lsn: 0xffff_ffff_0000_0000n })
    await cluster.settle()
    await cluster.pauseReplicas()
    try {
      await pool.withToken(token, async () => {
        await pool.query(`insert into item (name) values ('t1 hidden')`)
        const { rows } = await pool.query(`select count(*)::int as count from item where name = 't1 hidden'`)
        expect(rows).toEqual([{ count: 1 }])
      })
    } finally {
      await cluster.settle()
    }
  })

  it('T1: are taken by a pool with keys only when one of them signed', async () => {
    const [keys, others] = [['a key of thirty-two characters ok'], ['another key of thirty-two letters']]
    const signing = await cluster.openPool({ tokenKeys: keys }, events)
    const signed = await tokenOf('t1 signed', keys)
    expect(signed.length).toBeLessThanOrEqual(64)
    await readWith(signed, signing)
    const invalid = () => events.filter(({ kind }) => kind === 'token-invalid').length
    expect(invalid()).toBe(0)
    await readWith(await tokenOf('t1 forged', others), signing)
    await readWith(await tokenOf('t1 unsigned'), signing)
    await readWith(changed(signed, { lsn: 1n }), signing)
    expect(invalid()).toBe(3)
  })

  it('T5: of a timeline that nobody has seen have no primary that could answer: an error, after a wait that ends', async () => {
    const patient = await cluster.openPool({ waitMs: 500 }, events)
    const token = changed(await tokenOf('t5'), { timeline: 9 })
    await expect(readWith(token, patient)).rejects.toMatchObject({ code: 'primary-unknown' })
  })
})

describe('tokens of two histories', () => {
  it('T2 T7: an older one that the new history has is satisfied, one that it lost is told and answered by the primary', async () => {
    const two = new RoutedCluster()
    try {
      await two.start({ schema })
      const first = two.makePool()
      const token = await first.session(async (session) => {
        await first.query(`insert into item (name) values ('kept')`)
        return session.token() ?? ''
      })
      await two.settle()
      for (const replica of two.sandbox.replicas) await replica.cut()
      const lost = await first.session(async (session) => {
        await first.query(`insert into item (name) values ('lost')`)
        return session.token() ?? ''
      })
      await two.sandbox.primary.kill()
      await two.sandbox.promote('db2')
      const [db3] = two.sandbox.replicas
      if (db3 === undefined) throw new Error('db3 follows db2')
      await db3.mend()
      // Far beyond, in numbers, where the lost one stood.
      await sql(two.sandbox.primary.url, `insert into item (name) select 'new ' || id from generate_series(1, 5000) id`)
      await untilRows(db3.url, 'select count(*)::int as count from item', [{ count: 5001 }])
      const told: RoutingEvent[] = []
      const second = await two.openPool({}, told)
      const kept = await second.withToken(token, () => second.query(`select name from item where name = 'kept'`))
      expect(kept.rows).toEqual([{ name: 'kept' }])
      expect(told.filter(({ kind }) => kind === 'writes-lost')).toEqual([])
      expect((await tracesOf(second, () => second.withToken(lost, () => second.query(read)))).on).toEqual({
        primary: 1,
      })
      expect(told).toContainEqual(expect.objectContaining({ kind: 'writes-lost' }))
      // The doubt ends by itself, though this process writes nothing.
      await second.withToken(lost, () =>
        until('a read to be known where it is', async () => {
          await second.query(read)
          return second.explainRoute(read).reason !== 'writes-uncertain'
        }),
      )
      const refusing = await two.openPool({ whenWritesLost: 'refuse' }, told)
      await refusing.withToken(lost, async () => {
        await expect(refusing.query(read)).rejects.toMatchObject({ code: 'writes-lost' })
        await until('a read that sees what there is', async () => {
          const { rows } = await refusing.query(read).catch(() => ({ rows: [] }))
          return rows.length === 1
        })
      })
    } finally {
      await two.stop()
    }
  })
})

describe('a server out of recovery beside the primary', () => {
  it('T3: is no replica', async () => {
    // A replica of nobody: promoted on its own, beside the primary, which goes on.
    const [, stray] = cluster.sandbox.replicas
    if (stray === undefined) throw new Error('the sandbox has two replicas')
    await sql(stray.url, 'select pg_promote(true)')
    const before = cluster.makePool({}, events)
    for (let each = 0; each < 10; each += 1) await before.query(read)
    const there = before.stats().nodes.find(({ address }) => address === `${stray.host}:${stray.port}`)
    expect(there?.role).toMatch(/primary/)
  })
})
