import pg from 'pg'
import { beforeEach, describe, expect, it } from 'vitest'
import { routedCluster } from '../../harness/routed-cluster.js'
import { untilRows } from '../../harness/sql.js'
import { tracesOf } from '../../harness/traces.js'
import { untilSeen } from '../../harness/until-seen.js'

const cluster = routedCluster({
  schema: `create table item (value int);
     insert into item values (0);
     create function note() returns int language sql as 'update item set value = value + 1 returning value'`,
})
beforeEach(async () => {
  await cluster.onPrimary('update item set value = 0')
})

const read = 'select value from item'
const valueIn = async (query: Promise<pg.QueryResult>) => (await query).rows[0]?.value
const codeOf = (query: Promise<unknown>) =>
  query.then(
    () => 'none',
    ({ code }) => code,
  )

describe('S3: BEGIN READ ONLY', () => {
  it('S3: stays on the primary, where it takes its locks and sees the latest', async () => {
    const pool = await cluster.openPool()
    const client = await pool.connect()
    const { on } = await tracesOf(pool, async () => {
      await client.query('begin read only')
      await client.query(read)
      expect((await client.query('select pg_is_in_recovery() as standby')).rows).toEqual([{ standby: false }])
      await client.query('commit')
    })
    client.release()
    expect(on).toEqual({ primary: 4 })
  })
})

describe('S3: a client with readOnly', () => {
  it('S3: is on a replica that has what its scope has written', async () => {
    const pool = await cluster.openPool({ parkMs: 10_000 })
    await pool.query('update item set value = 1')
    const { value, on } = await tracesOf(pool, async () => {
      const client = await pool.connect({ readOnly: true })
      const value = await valueIn(client.query(read))
      client.release()
      return value
    })
    expect({ value, on }).toEqual({ value: 1, on: { replica: 1 } })
  })

  it('S3: is told replica-behind, and no old row, when its replica does not get there in time', async () => {
    const pool = await cluster.openPool()
    const client = await pool.connect({ readOnly: true })
    expect(await valueIn(client.query(read))).toBe(0)
    await cluster.pauseReplicas()
    await pool.query('update item set value = 2')
    expect(await codeOf(client.query(read))).toBe('replica-behind')
    await cluster.resumeReplicas()
    await untilSeen(
      'its replica to be there',
      () => codeOf(client.query(read)),
      (code) => code === 'none',
    )
    expect(await valueIn(client.query(read))).toBe(2)
    client.release()
  })

  it('S3: sees nothing older than what was written before its BEGIN, in any isolation level', async () => {
    const pool = await cluster.openPool({ parkMs: 10_000 })
    const client = await pool.connect({ readOnly: true })
    for (let value = 1; value <= 20; value += 1) {
      await pool.query('update item set value = $1', [value])
      await client.query('begin isolation level repeatable read read only')
      expect(await valueIn(client.query(read))).toBe(value)
      expect(await valueIn(client.query(read))).toBe(value)
      await client.query('commit')
    }
    client.release()
  })

  it.each([
    'insert into item values (1)',
    'update item set value = 1',
    'select value from item for update',
    'select pg_backend_pid()',
    `set application_name = 'x'`,
    'create table other (id int)',
    'select note()',
    'listen news',
  ])('S3: refuses %s instead of moving it', async (text) => {
    const pool = await cluster.openPool()
    const client = await pool.connect({ readOnly: true })
    expect(await codeOf(client.query(text))).toBe('not-read-only')
    expect(await valueIn(client.query(read))).toBe(0)
    client.release()
    expect(await cluster.onPrimary(read)).toEqual([{ value: 0 }])
  })

  it('S3: refuses a submittable', async () => {
    const pool = await cluster.openPool()
    const client = await pool.connect({ readOnly: true })
    const query = new pg.Query('delete from item')
    const failed = new Promise<Error & { code?: string }>((resolve) => query.on('error', resolve))
    client.query(query)
    expect((await failed).code).toBe('not-read-only')
    client.release()
  })

  it('S3: that had to take the primary counts what a hinted function writes there', async () => {
    const pool = await cluster.openPool()
    await cluster.pauseReplicas()
    await pool.query('update item set value = 5')
    const client = await pool.connect({ readOnly: true })
    expect((await tracesOf(pool, () => client.query(read))).on).toEqual({ primary: 1 })
    await cluster.resumeReplicas()
    for (const { url } of cluster.sandbox.replicas) await untilRows(url, read, [{ value: 5 }])
    await untilSeen(
      'that replicas have it',
      () => pool.explainRoute(read).reason,
      (reason) => reason === 'replica-has-it',
    )
    await cluster.pauseReplicas()
    expect((await client.query('/* maestra: replica */ select note()')).rows).toEqual([{ note: 6 }])
    client.release()
    expect(await valueIn(pool.query(read))).toBe(6)
  })
})

describe('S3: pool.transaction with readOnly', () => {
  it('S3: reads one state on a replica that has what was written', async () => {
    const pool = await cluster.openPool({ parkMs: 10_000 })
    await pool.query('update item set value = 3')
    const { value, on } = await tracesOf(pool, () =>
      pool.transaction(async (client) => [await valueIn(client.query(read)), await valueIn(client.query(read))], {
        readOnly: true,
      }),
    )
    expect({ value, on }).toEqual({ value: [3, 3], on: { replica: 4 } })
  })

  it('S3: is refused a write, and rejects with what was refused', async () => {
    const pool = await cluster.openPool()
    const transaction = pool.transaction((client) => client.query('update item set value = 4'), { readOnly: true })
    expect(await codeOf(transaction)).toBe('not-read-only')
    expect(await cluster.onPrimary(read)).toEqual([{ value: 0 }])
  })

  it('S3: rejects with replica-behind when what was written meanwhile is not there', async () => {
    const pool = await cluster.openPool()
    const transaction = pool.transaction(
      async (client) => {
        await client.query(read)
        await cluster.pauseReplicas()
        await pool.query('update item set value = 4')
        return await valueIn(client.query(read))
      },
      { readOnly: true },
    )
    expect(await codeOf(transaction)).toBe('replica-behind')
  })
})
