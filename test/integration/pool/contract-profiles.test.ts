import pg from 'pg'
import { describe, expect, it } from 'vitest'
import type { Pool } from '../../../packages/client/src/index.js'
import { routedCluster } from '../../harness/routed-cluster.js'
import { sql } from '../../harness/sql.js'
import { tracesOf } from '../../harness/traces.js'
import { untilSeen } from '../../harness/until-seen.js'

const cluster = routedCluster({
  schema: `create schema shop;
     create table shop.item (id int);
     insert into shop.item values (1);
     create function shop.note(id int) returns int language sql as 'insert into shop.item values (id) returning id'`,
})

const read = 'select count(*)::int from shop.item'

/** Reads until the classifier has its names. */
async function untilProven(pool: Pool): Promise<void> {
  await untilSeen(
    'a proven read',
    () => pool.query(read).then(() => pool.explainRoute(read).statement.kind),
    (kind) => kind === 'read',
  )
}

describe(`S4: 'connect'`, () => {
  it('S4: is told with the raw client of every connection, those of replicas as well', async () => {
    const pool = cluster.makePool()
    const clients: pg.PoolClient[] = []
    pool.on('connect', (client) => void clients.push(client))
    await untilProven(pool)
    await Promise.all(Array.from({ length: 20 }, () => pool.query(read)))
    expect(clients.every((client) => client instanceof pg.Client)).toBe(true)
    const ports = new Set(clients.map((client) => (client as unknown as { port: number }).port))
    expect([...ports].sort()).toEqual(cluster.sandbox.nodes.map(({ port }) => port).sort())
    expect(clients.length).toBe(pool.totalCount)
  })

  it('S4: what is sent there at once is done before any statement of the pool, and is not counted as one', async () => {
    const pool = cluster.makePool()
    pool.on('connect', (client) => {
      void client.query('set search_path = shop')
      client.query(`select set_config('application_name', 'profile', false)`, () => {})
    })
    await untilProven(pool)
    const { on, value } = await tracesOf(pool, () =>
      Promise.all(Array.from({ length: 20 }, () => pool.query('select count(*)::int from item'))),
    )
    expect(value.map(({ rows }) => rows)).toEqual(Array.from({ length: 20 }, () => [{ count: 1 }]))
    expect(on).toEqual({ replica: 20 })
    const names = await Promise.all(
      Array.from({ length: 10 }, () => pool.query(`/* maestra: replica */ select current_setting('application_name')`)),
    )
    expect(new Set(names.map(({ rows }) => rows[0].current_setting))).toEqual(new Set(['profile']))
  })

  it.each([
    { profile: 'create temporary table mine (id int)', error: /read-only transaction/ },
    { profile: `set default_transaction_isolation = 'serializable'`, error: /hot standby/ },
  ])(
    'S4: a replica on which `$profile` leads to errors is told by an event and not used',
    async ({ profile, error }) => {
      const pool = cluster.makePool()
      const events: { address: string; error: string }[] = []
      let connections = 0
      pool.on('session-profile-failed', (event) => void events.push(event))
      pool.on('connect', (client) => {
        connections += 1
        client.query(profile).catch(() => {})
      })
      await untilProven(pool)
      const { on, value } = await tracesOf(pool, async () => {
        const counts: number[] = []
        for (let number = 0; number < 30; number += 1) counts.push((await pool.query(read)).rows[0].count)
        return counts
      })
      expect({ on, counts: new Set(value) }).toEqual({ on: { primary: 30 }, counts: new Set([1]) })
      const replicas = cluster.sandbox.replicas.map(({ host, port }) => `${host}:${port}`)
      expect(new Set(events.map(({ address }) => address))).toEqual(new Set(replicas))
      for (const event of events) expect(event.error).toMatch(error)
      // Not one login and one event for each read.
      expect(connections).toBeLessThan(15)
      expect(events.length).toBeLessThan(10)
    },
  )

  it('S4: a replica on which the profile succeeds again is used again', async () => {
    const pool = cluster.makePool()
    let profile = 'create temporary table mine (id int)'
    pool.on('session-profile-failed', () => {
      profile = 'select'
    })
    pool.on('connect', (client) => void client.query(profile).catch(() => {}))
    await untilSeen(
      'a read on a replica',
      async () => (await tracesOf(pool, () => pool.query(read))).on,
      (on: Record<string, number>) => on['replica'] === 1,
    )
  })
})

describe('part 5: maxTotal', () => {
  it('part 5: holds for all servers together, however many statements there are', async () => {
    const pool = await cluster.openPool({ maxTotal: 4 })
    let most = 0
    const look = () => {
      most = Math.max(most, pool.totalCount)
    }
    pool.on('connect', look)
    pool.on('acquire', look)
    const statement = (number: number) =>
      pool.query(number % 3 === 0 ? `insert into shop.item values (${number})` : read)
    const answers = await Promise.all(Array.from({ length: 300 }, (_, number) => statement(number)))
    expect(answers.length).toBe(300)
    expect(most).toBe(4)
    await pool.query('delete from shop.item where id <> 1')
  })

  it('part 5: of one connection lets each statement come to its turn', async () => {
    const pool = await cluster.openPool({ maxTotal: 1 })
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, number) => pool.query(number % 2 ? read : 'select now()')),
    )
    expect(answers.length).toBe(60)
    expect(pool.totalCount).toBe(1)
  })

  it('part 5: is no reason to wait longer than connectionTimeoutMillis', async () => {
    const pool = await cluster.openPool({ maxTotal: 1, connectionTimeoutMillis: 100 })
    const client = await pool.connect()
    await client.query(`set application_name = 'mine'`)
    await expect(pool.query('insert into shop.item values (9)')).rejects.toMatchObject({
      message: 'timeout exceeded when trying to connect',
      outcome: 'not-started',
    })
    client.release()
    expect((await pool.query('select count(*)::int from shop.item where id = 9')).rows).toEqual([{ count: 0 }])
  })
})

describe('part 8: reasons', () => {
  it('part 8: sum to the statements, and so do the nodes, under load with errors and retries', async () => {
    const pool = await cluster.openPool({ max: 5 })
    pool.on('error', () => {})
    const kinds = [
      read,
      read,
      'insert into shop.item values (2)',
      'select 1 / 0',
      'select * from nobody_made_it',
      '/* maestra: replica */ select shop.note(3) + random()',
      `/* maestra: primary */ ${read}`,
      'this is no statement',
      'begin; rollback',
    ]
    let answered = 0
    const ask = async (number: number) => {
      await pool.query(kinds[number % kinds.length] ?? read).catch(() => {})
      answered += 1
      if (number % 40 === 0) {
        const { url } = cluster.sandbox.nodes[(number / 40) % 3] ?? cluster.sandbox.primary
        await sql(
          url,
          `select pg_terminate_backend(pid) from pg_stat_activity where query = '${read}' and state = 'idle' limit 1`,
        )
      }
    }
    const client = await pool.connect()
    await Promise.all([
      ...Array.from({ length: 360 }, (_, number) => ask(number)),
      client.query(read),
      client.query('select now()'),
      client.query(read),
    ])
    client.release()
    const { statements, byReason, nodes, retries } = pool.stats()
    const sum = (counts: readonly number[]) => counts.reduce((all, each) => all + each, 0)
    expect(sum(Object.values(byReason))).toBe(statements)
    expect(sum(nodes.map((node) => node.statements))).toBe(statements)
    expect(Math.min(...Object.values(byReason), ...nodes.map((node) => node.statements))).toBeGreaterThanOrEqual(0)
    expect(answered).toBe(360)
    expect(retries).toBeGreaterThan(0)
    // Those of `openPool` came before.
    expect(statements).toBeGreaterThanOrEqual(363)
    expect(nodes.map(({ inFlight }) => inFlight)).toEqual([0, 0, 0])
    await cluster.onPrimary('delete from shop.item where id <> 1')
  })
})
