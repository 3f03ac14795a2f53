import type pg from 'pg'
import { beforeEach, describe, expect, it } from 'vitest'
import { routedCluster } from '../../harness/routed-cluster.js'
import { untilRows } from '../../harness/sql.js'
import { tracesOf } from '../../harness/traces.js'
import { untilSeen } from '../../harness/until-seen.js'

const cluster = routedCluster({
  schema: `create table item (id int);
     create function note(id int) returns int language plpgsql as 'begin insert into item values (id); return id; end';
     create function on_primary() returns bool language plpgsql as $$
       begin
         if pg_is_in_recovery() then raise 'cannot do this during recovery' using errcode = '0A000'; end if;
         return true;
       end $$`,
})
beforeEach(async () => {
  await cluster.onPrimary('truncate item')
})

const settle = (query: Promise<pg.QueryResult>) =>
  query.then(
    ({ rows }) => rows[0],
    ({ code }) => code,
  )

describe('R8: a writing function that a hint sends to a replica', () => {
  const hinted = (id: number) => `/* maestra: replica */ select note(${id}) as id`
  const notes = async (id: number) =>
    (await cluster.onPrimary<{ count: number }>(`select count(*)::int from item where id = ${id}`))[0]?.count

  it('R8: 25006: runs once, on the primary, and is a write', async () => {
    const pool = await cluster.openPool()
    const { value, on, retries } = await tracesOf(pool, () => settle(pool.query(hinted(1))))
    expect({ value, on, retries }).toEqual({ value: { id: 1 }, on: { primary: 1 }, retries: 1 })
    expect(await notes(1)).toBe(1)
    await cluster.pauseReplicas()
    await pool.query(hinted(2))
    expect(await settle(pool.query('select count(*)::int from item'))).toEqual({ count: 2 })
  })

  it('R8: is sent there at once from then on, until the names of the database change', async () => {
    const pool = await cluster.openPool()
    await pool.query(hinted(3))
    await pool.query('create table if not exists no_new_name (id int)')
    await untilSeen(
      'the names',
      () => pool.explainRoute('select count(*) from item').statement.reason,
      (reason) => reason === 'proven-read',
    )
    const again = await tracesOf(pool, () => settle(pool.query(hinted(3))))
    expect({ on: again.on, retries: again.retries }).toEqual({ on: { primary: 1 }, retries: 0 })
    expect(again.reasons).toEqual({ 'refused-by-replica': 1 })
    await pool.query('create or replace view new_name as select 1 as one')
    await untilSeen(
      'the new names',
      () => pool.explainRoute(hinted(3)).statement.reason,
      (reason) => reason === 'hint-replica',
    )
    const anew = await tracesOf(pool, () => settle(pool.query(hinted(3))))
    expect({ on: anew.on, retries: anew.retries }).toEqual({ on: { primary: 1 }, retries: 1 })
  })

  it('R8: is not moved out of a transaction that only reads', async () => {
    const pool = await cluster.openPool()
    const { value, retries } = await tracesOf(pool, () =>
      pool.transaction((client) => settle(client.query(hinted(5))), { readOnly: true }).catch(({ code }) => code),
    )
    expect({ value, retries }).toEqual({ value: 'transaction-rolled-back', retries: 0 })
    expect(await notes(5)).toBe(0)
  })

  it('R8: 25006 of a READ ONLY transaction on the primary is its own', async () => {
    const pool = await cluster.openPool()
    const client = await pool.connect()
    await client.query('begin read only')
    expect(await settle(client.query(hinted(6)))).toBe('25006')
    await client.query('rollback')
    client.release()
    expect(await notes(6)).toBe(0)
  })

  it('R8: 0A000 during recovery is asked of the primary as well', async () => {
    const pool = await cluster.openPool()
    const { value, on, retries } = await tracesOf(pool, () =>
      settle(pool.query('/* maestra: replica */ select on_primary() as done')),
    )
    expect({ value, on, retries }).toEqual({ value: { done: true }, on: { primary: 1 }, retries: 1 })
  })
})

describe('R8: a function that only a hint calls harmless, answered by a replica', () => {
  it('R8: is no write, whatever it is counted as', async () => {
    const pool = await cluster.openPool()
    const events: unknown[] = []
    pool.on('writes-uncertain', (event) => void events.push(event))
    await cluster.onPrimary('create or replace function harmless() returns int language sql stable return 1')
    for (const { url } of cluster.sandbox.replicas) await untilRows(url, 'select harmless() as one', [{ one: 1 }])
    const read = () => pool.query('/* maestra: replica */ select harmless() as one')
    const { on, retries } = await tracesOf(pool, () => read().then(read).then(read))
    expect({ on, retries, events }).toEqual({ on: { replica: 3 }, retries: 0, events: [] })
    expect((await tracesOf(pool, () => pool.query('select count(*) from item'))).on).toEqual({ replica: 1 })
  })
})
