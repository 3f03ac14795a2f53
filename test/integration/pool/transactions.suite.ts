import type pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { sql } from '../../harness/sql.js'
import { errorOf, pidOf, poolsOf, type Subject } from './subject.js'

/** Transactions, and the order of statements, on one client. */
export function transactions(subject: Subject): void {
  describe('a client', () => {
    const open = poolsOf(subject)
    const onPrimary = (text: string) => sql(subject.servers().nodeUrls[0], text)

    beforeAll(async () => {
      await onPrimary('create table account (owner text primary key, balance int not null check (balance >= 0))')
    })
    beforeEach(async () => {
      await onPrimary(`delete from account; insert into account values ('ada', 10), ('bob', 0)`)
    })
    afterAll(async () => {
      await onPrimary('drop table account')
    })

    async function balances(pool: pg.Pool): Promise<unknown> {
      const { rows } = await pool.query({ text: 'select owner, balance from account order by owner', rowMode: 'array' })
      return rows
    }

    it('commits: others see nothing before, everything after', async () => {
      const pool = open()
      const client = await pool.connect()
      try {
        await client.query('BEGIN')
        await client.query('update account set balance = balance - $1 where owner = $2', [4, 'ada'])
        await client.query('update account set balance = balance + $1 where owner = $2', [4, 'bob'])
        const inside = await client.query('select sum(balance)::int as s, min(balance) as m from account')
        expect(inside.rows).toEqual([{ s: 10, m: 4 }])
        expect(await onPrimary('select min(balance) as m from account')).toEqual([{ m: 0 }])
        expect((await client.query('COMMIT')).command).toBe('COMMIT')
      } finally {
        client.release()
      }
      expect(await balances(pool)).toEqual([
        ['ada', 6],
        ['bob', 4],
      ])
    })

    it('rolls back', async () => {
      const pool = open()
      const client = await pool.connect()
      try {
        await client.query('begin')
        await client.query('delete from account')
        await client.query('rollback')
      } finally {
        client.release()
      }
      expect(await balances(pool)).toHaveLength(2)
    })

    it('has to roll back after an error: 25P02 until then, and COMMIT is answered ROLLBACK', async () => {
      const pool = open()
      const client = await pool.connect()
      try {
        await client.query('begin')
        await client.query(`update account set balance = 99 where owner = 'bob'`)
        const error = await errorOf(client.query(`update account set balance = -1 where owner = 'ada'`))
        expect(error).toMatchObject({ code: '23514', constraint: 'account_balance_check' })
        expect(await errorOf(client.query('select 1'))).toMatchObject({ code: '25P02' })
        expect((await client.query('commit')).command).toBe('ROLLBACK')
        expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
      } finally {
        client.release()
      }
      expect(await balances(pool)).toEqual([
        ['ada', 10],
        ['bob', 0],
      ])
    })

    it('goes back to a savepoint', async () => {
      const pool = open()
      const client = await pool.connect()
      try {
        await client.query('begin')
        await client.query(`update account set balance = 1 where owner = 'ada'`)
        await client.query('savepoint s')
        await errorOf(client.query('select 1 / 0'))
        await client.query('rollback to savepoint s')
        await client.query(`update account set balance = 2 where owner = 'bob'`)
        await client.query('commit')
      } finally {
        client.release()
      }
      expect(await balances(pool)).toEqual([
        ['ada', 1],
        ['bob', 2],
      ])
    })

    it('tells its transaction status: I, T, E, and null before the first answer', async () => {
      const pool = open()
      expect(new (pool as unknown as { Client: typeof pg.Client }).Client().getTransactionStatus()).toBeNull()
      const client = await pool.connect()
      const seen: unknown[] = []
      const look = () => seen.push(client.getTransactionStatus())
      await client.query('select 1').then(look)
      await client.query('begin').then(look)
      // The error arrives before the ReadyForQuery that carries the status, perhaps in a packet of its own.
      await errorOf(client.query('select 1 / 0'))
      await client.query('select 1').catch(look)
      await client.query('rollback').then(look)
      client.release()
      expect(seen).toEqual(['I', 'T', 'E', 'I'])
    })

    it('runs queries in the order in which they were called, without a wait in between', async () => {
      const client = await open().connect()
      const done: number[] = []
      try {
        const noted = (n: number) => (result: pg.QueryResult) => {
          done.push(n)
          return result.rows
        }
        const all = await Promise.all([
          client.query('create temp table step (n int)').then(noted(1)),
          client.query('insert into step values (1)').then(noted(2)),
          client.query('insert into step select n + 1 from step').then(noted(3)),
          client.query('select sum(n)::int as s from step').then(noted(4)),
        ])
        expect(all[3]).toEqual([{ s: 3 }])
        expect(done).toEqual([1, 2, 3, 4])
      } finally {
        client.release(true)
      }
    })

    it('runs a whole transaction that nobody waited for', async () => {
      const pool = open()
      const client = await pool.connect()
      const texts = ['begin', `update account set balance = 3 where owner = 'bob'`, 'commit']
      const commands = await Promise.all(texts.map((text) => client.query(text).then((result) => result.command)))
      client.release()
      expect(commands).toEqual(['BEGIN', 'UPDATE', 'COMMIT'])
      expect(await balances(pool)).toEqual([
        ['ada', 10],
        ['bob', 3],
      ])
    })

    it('goes on with the queries behind one that failed', async () => {
      const client = await open().connect()
      const outcomes = await Promise.allSettled([
        client.query('select 1 as n'),
        client.query('selekt 2 as n'),
        client.query('select 3 as n'),
      ])
      client.release()
      expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    })

    it('reads its own writes, and the serial that it got', async () => {
      const client = await open().connect()
      await client.query(`insert into account values ('cho', 5)`)
      expect((await client.query(`select balance from account where owner = 'cho'`)).rows).toEqual([{ balance: 5 }])
      await client.query('create temp table ticket (id serial); insert into ticket default values')
      expect((await client.query('select lastval()::int as id')).rows).toEqual([{ id: 1 }])
      client.release(true)
    })

    it('takes a LOCK, whose count is null', async () => {
      const client = await open().connect()
      await client.query('begin')
      const { command, rowCount } = await client.query('lock table account in share mode')
      await client.query('rollback')
      client.release()
      expect([command, rowCount]).toEqual(['LOCK', null])
    })

    it(`released inside a transaction: it ${subject.openTransaction}`, async () => {
      const pool = open({ max: 1 })
      const client = await pool.connect()
      const pid = await pidOf(client)
      await client.query('begin')
      await client.query('delete from account')
      client.release()
      const next = await pool.connect()
      const pidNow = await pidOf(next)
      const count = (await next.query('select count(*)::int as n from account')).rows[0].n
      next.release(true)
      expect([pidNow === pid, count]).toEqual(subject.openTransaction === 'is left open' ? [true, 0] : [false, 2])
    })
  })
}
