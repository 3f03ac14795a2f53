import type pg from 'pg'
import { describe, expect, it } from 'vitest'
import type { Pool, PoolOptions } from '../../../packages/client/src/index.js'
import { routedCluster } from '../../harness/routed-cluster.js'
import { sql } from '../../harness/sql.js'
import { tracesOf } from '../../harness/traces.js'
import { untilSeen } from '../../harness/until-seen.js'

const cluster = routedCluster({
  schema: `create table item (id int primary key, value int not null);
    insert into item select id, id * 10 from generate_series(1, 1000) id`,
})

const byId = 'select value from item where id = $1'
const quotient = 'select $1::int / $2::int as quotient'
/** So many times a thousand rows are made and counted. */
const slow = 'select count(*)::int as count from generate_series(1, $1::int) a, generate_series(1, 1000) b'

async function valueAt(pool: Pool, id: number): Promise<number> {
  return (await pool.query(byId, [id])).rows[0].value
}

function ids(count: number): readonly number[] {
  return Array.from({ length: count }, (_each, at) => 1 + (at % 1000))
}

/** Connections of the replicas. */
function connections(pool: Pool): number {
  return pool
    .stats()
    .nodes.filter(({ role }) => role === 'replica')
    .reduce((sum, { totalCount }) => sum + totalCount, 0)
}

async function backends(text: string, state = '%'): Promise<readonly number[]> {
  const found = await Promise.all(
    cluster.sandbox.replicas.map(({ url }) =>
      sql<{ pid: number }>(
        url,
        `select pid from pg_stat_activity where query = '${text}' and state like '${state}' and pid <> pg_backend_pid()`,
      ),
    ),
  )
  return found.flat().map(({ pid }) => pid)
}

describe('many small reads at a time', () => {
  it('share few connections once they are known to be small, and each has its own answer', async () => {
    const pool = await cluster.openPool()
    for (const id of ids(4)) await valueAt(pool, id)
    for (let round = 0; round < 20; round += 1) {
      const values = await Promise.all(ids(200).map((id) => valueAt(pool, id)))
      expect(values).toEqual(ids(200).map((id) => id * 10))
    }
    expect(connections(pool)).toBeLessThan(20)
  })

  it('leave nothing behind: no connection is pipelined, and none counts as in use', async () => {
    const pool = cluster.makePool()
    const clients: pg.PoolClient[] = []
    pool.on('connect', (client) => void clients.push(client as unknown as pg.PoolClient))
    await cluster.untilRouting(pool)
    await Promise.all(ids(100).map((id) => valueAt(pool, id)))
    await Promise.all(ids(100).map((id) => pool.query(quotient, [id, 0]).catch(() => {})))
    await untilSeen(
      'all connections idle',
      () => pool.stats().nodes.map(({ inFlight, totalCount, idleCount }) => inFlight + totalCount - idleCount),
      (used: number[]) => used.every((count) => count === 0),
    )
    const left = clients.map((client) => {
      const { pipeline } = client as unknown as { pipeline: boolean }
      return { pipeline, corked: client.connection.stream.writableCorked }
    })
    expect(left.length).toBeGreaterThan(1)
    expect(new Set(left.map((each) => JSON.stringify(each)))).toEqual(new Set(['{"pipeline":false,"corked":0}']))
  })

  it('have a connection each without lanes', async () => {
    const pool = await cluster.openPool({ lanes: false })
    await Promise.all(ids(200).map((id) => valueAt(pool, id)))
    expect(connections(pool)).toBe(20)
  })

  it('have a connection each with a time limit of node-postgres, which would end those of others', async () => {
    const pool = await cluster.openPool({ query_timeout: 60_000 })
    await Promise.all(ids(200).map((id) => valueAt(pool, id)))
    expect(connections(pool)).toBe(20)
  })

  it('fail alone: an error, or a value that cannot be sent, touches no neighbour', async () => {
    const pool = await cluster.openPool()
    const unsendable = {
      toPostgres: () => {
        throw new Error('not this one')
      },
    }
    for (let round = 0; round < 10; round += 1) {
      const outcomes = await Promise.all(
        ids(60).map((id) => {
          if (id % 3 === 0) return pool.query(quotient, [id, 0]).catch((error) => error.code)
          if (id % 7 === 0) return pool.query(byId, [unsendable]).catch((error) => error.message)
          return valueAt(pool, id)
        }),
      )
      const expected = ids(60).map((id) => (id % 3 === 0 ? '22012' : id % 7 === 0 ? 'not this one' : id * 10))
      expect(outcomes).toEqual(expected)
    }
  })

  it('hold nobody up after a value that could not be sent', async () => {
    const pool = await cluster.openPool()
    const unsendable = {
      toPostgres: () => {
        throw new Error('not this one')
      },
    }
    const errors: Error[] = []
    pool.on('error', (error) => void errors.push(error))
    for (let use = 0; use < 5; use += 1) await valueAt(pool, 1)
    for (let round = 0; round < 30; round += 1) {
      const first = Promise.all(ids(3).map((id) => valueAt(pool, id)))
      // Behind a flight that is under way, so that nothing else is held with it.
      await new Promise((resolve) => setImmediate(resolve))
      const failed = pool.query(byId, [unsendable]).catch((error) => error.message)
      expect([await failed, await first]).toEqual(['not this one', [10, 20, 30]])
      expect(await Promise.all(ids(4).map((id) => valueAt(pool, id)))).toEqual([10, 20, 30, 40])
    }
    expect(errors).toEqual([])
  })

  it('find a lane although all that there are hold slow ones', async () => {
    const pool = await cluster.openPool()
    const texts = Array.from({ length: 12 }, (_each, at) => `${slow} where a > ${at}`)
    for (let use = 0; use < 3; use += 1) await Promise.all(texts.map((text) => pool.query(text, [1])))
    await valueAt(pool, 1)
    const long = Promise.all(texts.map((text) => pool.query(text, [3_000])))
    const values = await Promise.all(ids(100).map((id) => valueAt(pool, id)))
    expect(values).toEqual(ids(100).map((id) => id * 10))
    await long
  })

  it('are answered elsewhere when their connection ends in the middle', async () => {
    const pool = await cluster.openPool()
    for (let use = 0; use < 4; use += 1) await pool.query(slow, [1])
    const held = Promise.all(ids(40).map(() => pool.query(slow, [300])))
    const [first] = cluster.sandbox.replicas
    const terminate = `select count(pg_terminate_backend(pid))::int as count from pg_stat_activity
      where query = '${slow}' and state = 'active' and pid <> pg_backend_pid()`
    await untilSeen(
      'a read that was ended',
      async () => (await sql<{ count: number }>(first?.url ?? '', terminate))[0]?.count,
      (count: number) => count > 0,
    )
    expect((await held).map(({ rows }) => rows[0].count)).toEqual(ids(40).map(() => 300_000))
    // What had been asked elsewhere already, since it stood behind others, needs no retry.
    const { retries, askedAlone } = pool.stats()
    expect(retries + askedAlone).toBeGreaterThan(0)
  })

  it('do not wait behind one that is slow with its values: they are asked elsewhere', async () => {
    const pool = await cluster.openPool()
    for (let use = 0; use < 5; use += 1) await Promise.all([pool.query(slow, [1]), valueAt(pool, 1)])
    const order: string[] = []
    const long = Promise.all(Array.from({ length: 6 }, () => pool.query(slow, [10_000]))).then(() => order.push('slow'))
    const short = Promise.all(ids(50).map((id) => valueAt(pool, id))).then(() => order.push('small'))
    await Promise.all([long, short])
    expect(order).toEqual(['small', 'slow'])
    expect(pool.stats().askedAlone).toBeGreaterThan(0)
    // What was asked elsewhere is not answered here as well.
    await untilSeen(
      'nothing under way',
      () => pool.stats().nodes.map(({ inFlight }) => inFlight),
      (counts: number[]) => counts.every((count) => count === 0),
    )
    await untilSeen(
      'no server that still works on it',
      () => backends(slow, 'active'),
      (busy: number[]) => busy.length === 0,
    )
  })
})

describe('R3: reads whose replica is asked in the same flight', () => {
  it('never deliver what is older than their own write, although the replica has answered', async () => {
    const pool = await cluster.openPool()
    await Promise.all(ids(20).map((id) => valueAt(pool, id)))
    for (let value = 1; value <= 20; value += 1) {
      await cluster.pauseReplicas()
      await pool.query('update item set value = $1 where id = 1', [value])
      const { value: seen } = await tracesOf(pool, () =>
        Promise.all(Array.from({ length: 10 }, () => valueAt(pool, 1))),
      )
      expect(seen).toEqual(Array.from({ length: 10 }, () => value))
      await cluster.resumeReplicas()
      await pool.query(byId, [1])
    }
    expect(pool.stats().observed.refused).toBeGreaterThan(0)
  })

  it('never deliver rows that were read before others saw the replica catch up', async () => {
    const pool = await cluster.openPool()
    /** The value is read when it begins, and it takes so long that others ask meanwhile. */
    const long =
      'select (select value from item where id = 3) as value, count(*)::int as count from generate_series(1, $1::int) a, generate_series(1, 1000) b'
    for (let value = 1; value <= 12; value += 1) {
      // Another text each time, which nobody knows to be slow.
      const text = long.replace('as count', `as count${value}`)
      await cluster.settle()
      await untilSeen(
        'reads that replicas know',
        () => pool.query(byId, [3]).then(() => pool.explainRoute(byId).reason),
        (reason) => reason === 'replica-has-it',
      )
      await cluster.pauseReplicas()
      await pool.query('update item set value = $1 where id = 3', [value])
      const first = pool.query(text, [300])
      await cluster.resumeReplicas()
      const others = Promise.all(ids(20).map(() => valueAt(pool, 3)))
      expect((await first).rows[0].value).toBe(value)
      expect(new Set(await others)).toEqual(new Set([value]))
    }
  })

  it('are answered by the replica that has what they need', async () => {
    const pool = await cluster.openPool()
    const { on, observed } = await tracesOf(pool, async () => {
      for (let value = 1; value <= 200; value += 1) {
        await pool.query('update item set value = $1 where id = 2', [value])
        expect(await valueAt(pool, 2)).toBe(value)
      }
    })
    expect(on['replica']).toBeGreaterThan(100)
    expect(observed.asked).toBeGreaterThan(0)
  })
})

describe('texts that are prepared because they come again', () => {
  it('are so once on each connection of a lane, and no more often than they are asked', async () => {
    const prepared: number[] = []
    const pool = cluster.makePool({ lanes: 'prepared' })
    pool.on('connect', (client) => {
      const { connection } = client as unknown as pg.PoolClient
      connection.on('parseComplete', () => prepared.push(1))
    })
    await cluster.untilRouting(pool)
    for (let use = 0; use < 10; use += 1) await valueAt(pool, 3)
    const before = prepared.length
    for (let use = 0; use < 200; use += 1) await valueAt(pool, 3)
    expect(prepared.length - before).toBeLessThanOrEqual(8)
  })

  it('show a column that was added meanwhile, without an error', async () => {
    await cluster.onPrimary('create table growing (id int); insert into growing values (1)')
    const pool = await cluster.openPool({ lanes: 'prepared' })
    const read = 'select * from growing where id = $1'
    for (let use = 0; use < 50; use += 1) await pool.query(read, [1])
    await pool.query('alter table growing add column more int default 7')
    for (let use = 0; use < 50; use += 1) expect((await pool.query(read, [1])).rows).toEqual([{ id: 1, more: 7 }])
  })

  it('take values of the type that a column has by now', async () => {
    await cluster.onPrimary('create table widened (id int primary key); insert into widened values (1)')
    const pool = await cluster.openPool({ lanes: 'prepared' })
    const read = 'select id::text from widened where id = $1'
    for (let use = 0; use < 50; use += 1) await pool.query(read, [1])
    // Behind the back of the pool, which prepares anew after DDL of its own.
    await cluster.onPrimary('alter table widened alter id type bigint; insert into widened values (5000000000)')
    await cluster.settle()
    for (let use = 0; use < 20; use += 1) expect((await pool.query(read, [5_000_000_000])).rows).toHaveLength(1)
    await cluster.onPrimary('alter table widened alter id type text')
    await cluster.settle()
    for (let use = 0; use < 20; use += 1) expect((await pool.query(read, ['1'])).rows).toEqual([{ id: '1' }])
    const { on } = await tracesOf(pool, async () => {
      for (let use = 0; use < 50; use += 1) await pool.query(read, ['1'])
    })
    expect(on).toEqual({ replica: 50 })
  })

  it('are not prepared unless that was asked for: their parameters have the types of this moment', async () => {
    await cluster.onPrimary("create table dated (at date); insert into dated values ('2026-11-30')")
    const pool = await cluster.openPool()
    const read = 'select count(*)::int as count from dated where at >= $1'
    for (let use = 0; use < 50; use += 1) await pool.query(read, ['2026-11-30 12:00'])
    await cluster.onPrimary('alter table dated alter at type timestamp')
    await cluster.settle()
    for (let use = 0; use < 20; use += 1) {
      expect((await pool.query(read, ['2026-11-30 12:00'])).rows).toEqual([{ count: 0 }])
    }
  })

  it('come from an object with getters, as libraries make them', async () => {
    const pool = await cluster.openPool({ lanes: 'prepared' })
    class Tagged {
      get text() {
        return byId
      }
      get values() {
        return [4]
      }
    }
    for (let use = 0; use < 20; use += 1) expect((await pool.query(new Tagged())).rows).toEqual([{ value: 40 }])
  })

  it('are answered in the format of the protocol that node-postgres takes, however often they come', async () => {
    const pool = await cluster.openPool({ binary: true, lanes: 'prepared' } as PoolOptions)
    const texts = [
      'select \'{"a": 1}\'::jsonb as value',
      "select interval '1 day' as value",
      'select 12.5::numeric as value',
    ]
    for (const text of texts) {
      const { rows } = await pool.query(text)
      for (let use = 0; use < 20; use += 1) expect((await pool.query(text)).rows).toEqual(rows)
    }
  })

  it('fail with what the server says of them, also where many come at a time', async () => {
    const pool = await cluster.openPool({ lanes: 'prepared' })
    const failures = await Promise.all(
      ids(50).map(() => pool.query('select * from missing where id = $1', [1]).catch((error) => error.code)),
    )
    expect(new Set(failures)).toEqual(new Set(['42P01']))
  })
})
