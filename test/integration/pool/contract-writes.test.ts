import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Pool, RoutingEvent } from '../../../packages/client/src/index.js'
import { poolUrl } from '../../harness/pool-url.js'
import { routedCluster } from '../../harness/routed-cluster.js'
import { tracesOf } from '../../harness/traces.js'

const cluster = routedCluster({
  schema: `create table item (id serial primary key, name text unique);
     create function add(given text) returns int language sql as $$ insert into item (name) values (given) returning id $$;
     create procedure add_and_fail(given text) language plpgsql as $$
       begin insert into item (name) values (given); commit; raise exception 'too late'; end $$`,
  parameters: { max_prepared_transactions: '5' },
})
let pool: Pool
let events: RoutingEvent[]

beforeEach(async () => {
  events = []
  pool = await cluster.openPool({}, events)
})

const count = async (name: string) =>
  (await pool.query('select count(*)::int as count from item where name = $1', [name])).rows[0].count

describe('writes', () => {
  it.each([
    ['an INSERT', `insert into item (name) values ('plain')`, 'plain'],
    [
      'an INSERT in a WITH clause',
      `with new as (insert into item (name) values ('cte') returning 1) select * from new`,
      'cte',
    ],
    ['a function that writes', `select add('function')`, 'function'],
    ['a DO block', `do $$ begin insert into item (name) values ('do'); end $$`, 'do'],
    ['a CALL that fails when it has committed', `call add_and_fail('call')`, 'call'],
    ['several statements', `insert into item (name) values ('several'); select 1`, 'several'],
    [
      'several statements of which the last fails',
      `begin; insert into item (name) values ('failed'); commit; select 1 / 0`,
      'failed',
    ],
    [
      'a text that the grammar refuses and the server takes apart',
      `insert into item (name) values ('merge') on conflict do nothing`,
      'merge',
    ],
  ])('W1: %s is seen by the next read, whether it succeeded or failed', async (_what, text, name) => {
    await cluster.pauseReplicas()
    await pool.query(text).catch(() => {})
    expect(await count(name)).toBe(1)
  })

  it('W1: COMMIT AND CHAIN is seen by the next read, though its client is in a transaction still', async () => {
    await cluster.pauseReplicas()
    const client = await pool.connect()
    await client.query('begin')
    await client.query(`insert into item (name) values ('chained')`)
    await client.query('commit and chain')
    expect(client.getTransactionStatus()).toBe('T')
    expect(await count('chained')).toBe(1)
    await client.query('rollback')
    client.release()
  })

  it('W1: COMMIT PREPARED is seen by the next read', async () => {
    await cluster.pauseReplicas()
    const client = await pool.connect()
    await client.query('begin')
    await client.query(`insert into item (name) values ('prepared')`)
    await client.query(`prepare transaction 'two'`)
    client.release()
    await pool.query(`commit prepared 'two'`)
    expect(await count('prepared')).toBe(1)
  })

  it('W1: one plain INSERT that the server refused counts for nothing: reads stay on the replicas', async () => {
    await pool.query(`insert into item (name) values ('taken')`)
    await cluster.settle()
    await cluster.untilRouting(pool)
    await cluster.pauseReplicas()
    await expect(pool.query(`insert into item (name) values ('taken')`)).rejects.toMatchObject({
      code: '23505',
      outcome: 'rolled-back',
    })
    expect((await tracesOf(pool, () => pool.query('select count(*) from item'))).on).toEqual({ replica: 1 })
  })

  it('W1: what a transaction has not committed counts for nothing', async () => {
    await cluster.pauseReplicas()
    const client = await pool.connect()
    await client.query('begin')
    await client.query(`insert into item (name) values ('uncommitted')`)
    expect((await tracesOf(pool, () => pool.query('select count(*) from item'))).on).toEqual({ replica: 1 })
    await client.query('rollback')
    expect((await tracesOf(pool, () => pool.query('select count(*) from item'))).on).toEqual({ replica: 1 })
    client.release()
  })

  it('W1: a COMMIT that the server answers with ROLLBACK is no commit: pool.transaction rejects', async () => {
    const transaction = pool.transaction(async (client) => {
      await client.query(`insert into item (name) values ('never')`)
      await client.query('select 1 / 0').catch(() => {})
    })
    await expect(transaction).rejects.toMatchObject({ code: 'transaction-rolled-back' })
    expect(await count('never')).toBe(0)
  })

  it('W3: a read that is issued the moment the write is acknowledged sees it', async () => {
    await cluster.pauseReplicas()
    const seen = await Promise.all(
      Array.from({ length: 20 }, async (_, number) => {
        await pool.query('insert into item (name) values ($1)', [`at once ${number}`])
        return await count(`at once ${number}`)
      }),
    )
    expect(seen).toEqual(Array(20).fill(1))
  })

  it('W6: a write that the application gave up on runs once, and is seen by reads as soon as it is done', async () => {
    const hasty = await cluster.openPool({ query_timeout: 300 }, events)
    await cluster.onPrimary(
      `create function slowly(given text) returns text language plpgsql as $$ begin perform pg_sleep(1); return given; end $$`,
    )
    await cluster.settle()
    await cluster.pauseReplicas()
    const error = await hasty.query(`insert into item (name) values (slowly('late'))`).catch((failure) => failure)
    expect(error).toMatchObject({ outcome: 'unknown' })
    expect(events).toContainEqual(expect.objectContaining({ kind: 'writes-uncertain', reason: 'outcome-unknown' }))
    // Nobody knows yet whether it will commit: only the primary can tell.
    expect((await tracesOf(hasty, () => hasty.query('select count(*) from item'))).on).toEqual({ primary: 1 })
    await waitUntil(
      async () => {
        const { rows } = await hasty.query(`select count(*)::int as count from item where name = 'late'`)
        return rows[0].count === 1 ? { done: true, value: undefined } : { done: false, seen: 'not there' }
      },
      { awaited: 'the write', deadline: Deadline.after(10_000) },
    )
    await cluster.settle()
    await cluster.untilRouting(hasty)
    expect(await cluster.onPrimary(`select count(*)::int as count from item where name = 'late'`)).toEqual([
      { count: 1 },
    ])
  })

  it('W6: a write whose connection the server ended says that its outcome is unknown, and is not run again', async () => {
    const writing = pool
      .query(`insert into item (name) select 'ended' from (select pg_sleep(600)) s`)
      .catch((error) => error)
    await waitUntil(
      async () => {
        const rows = await cluster.onPrimary(
          `select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(600)%' and pid <> pg_backend_pid()`,
        )
        return rows.length === 1 ? { done: true, value: undefined } : { done: false, seen: 'it does not run yet' }
      },
      { awaited: 'the write to run', deadline: Deadline.after(10_000) },
    )
    expect(await writing).toMatchObject({ outcome: 'unknown' })
    expect(await count('ended')).toBe(0)
  })

  it.each<[what: string, outcome: string, rows: number, run: (name: string) => Promise<unknown>]>([
    [
      'that found no primary',
      'not-started',
      0,
      async (name) => {
        const alone = cluster.makePool({ connectionString: poolUrl(cluster.sandbox.replicas), waitMs: 200 })
        await alone.query('insert into item (name) values ($1)', [name])
      },
    ],
    [
      'whose parameters the server refuses',
      'rolled-back',
      0,
      (name) => pool.query('insert into item (id, name) values ($1, $2)', ['none', name]),
    ],
    [
      'of a transaction',
      'rolled-back',
      0,
      (name) =>
        pool.transaction(async (client) => {
          await client.query('insert into item (name) values ($1)', [name])
          await client.query('insert into item (name) values ($1)', [name])
        }),
    ],
    ['that committed on its way', 'unknown', 1, (name) => pool.query('call add_and_fail($1)', [name])],
    [
      'among several that committed one',
      'unknown',
      1,
      (name) => pool.query(`begin; insert into item (name) values ('${name}'); commit; select 1 / 0`),
    ],
  ])('W6: the error of a statement %s says that its outcome is %s', async (what, outcome, rows, run) => {
    const name = `an error of a statement ${what}`
    await cluster.pauseReplicas()
    await expect(run(name)).rejects.toMatchObject({ outcome })
    expect(await count(name)).toBe(rows)
  })

  it('W7: a write of a session resolves when its token is known, at most 64 characters', async () => {
    await pool.session(async (session) => {
      expect(session.token()?.length ?? 0).toBeLessThanOrEqual(64)
      const before = session.token()
      await pool.query(`insert into item (name) values ('told')`)
      const after = session.token()
      expect(after).toMatch(/^[\w-]{1,64}$/)
      expect(after).not.toBe(before)
    })
  })
})
