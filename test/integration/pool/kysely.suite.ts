import { type ControlledTransaction, type Generated, Kysely, PostgresDialect, sql } from 'kysely'
import type pg from 'pg'
import Cursor from 'pg-cursor'
import { describe, expect, it } from 'vitest'
import { type RoutedSubject, shelfOf } from './query-builders.suite.js'
import { errorOf, pidOf, until } from './subject.js'

type Library = {
  readonly kysely_book: {
    readonly id: Generated<number>
    readonly title: string
    readonly pages: number
    readonly added: Generated<Date>
  }
}

const rollBack = new Error('roll back')

/** A transaction that is ended by hand; rolled back where it was not, so that no later case waits for its locks. */
async function controlled(
  db: Kysely<Library>,
  run: (trx: ControlledTransaction<Library>) => Promise<void>,
): Promise<void> {
  const trx = await db.startTransaction().execute()
  try {
    await run(trx)
  } finally {
    if (!trx.isCommitted) await trx.rollback().execute()
  }
}

/** Kysely, unchanged, on a pool. */
export function kysely(subject: RoutedSubject): void {
  describe('Kysely', () => {
    const { open, readWhereReadsRun, onPrimary } = shelfOf(subject, 'kysely_book')
    const on = (pool: pg.Pool) => new Kysely<Library>({ dialect: new PostgresDialect({ pool, cursor: Cursor }) })

    const titles = async (db: Kysely<Library>) => {
      const rows = await db.selectFrom('kysely_book').select('title').orderBy('id').execute()
      return rows.map((row) => row.title)
    }

    it(`selects, on the ${subject.readsRunOn}`, async () => {
      const pool = open()
      const db = on(pool)
      const thick = db.selectFrom('kysely_book').select(['title', 'pages']).where('pages', '>', 300).orderBy('title')
      expect(await readWhereReadsRun(pool, () => thick.execute())).toEqual([
        { title: 'Emma', pages: 474 },
        { title: 'Rayuela', pages: 600 },
      ])
    })

    it(`selects with join, group, subquery and CTE, on the ${subject.readsRunOn}`, async () => {
      const pool = open()
      const query = on(pool)
        .with('thick', (db) => db.selectFrom('kysely_book').selectAll().where('pages', '>=', 300))
        .selectFrom('thick')
        .innerJoin('kysely_book as b', 'b.id', 'thick.id')
        .select((eb) => [eb.fn.countAll<string>().as('n'), eb.fn.max('b.pages').as('most')])
      expect(await readWhereReadsRun(pool, () => query.executeTakeFirstOrThrow())).toEqual({ n: '2', most: 600 })
    })

    it(`runs SQL of one's own, on the ${subject.readsRunOn}`, async () => {
      const pool = open()
      const query = sql<{ n: number }>`select sum(pages)::int as n from kysely_book where pages < ${500}`
      expect((await readWhereReadsRun(pool, () => query.execute(on(pool)))).rows).toEqual([{ n: 744 }])
    })

    it('inserts on the primary, returns the row, and reads it back at once', async () => {
      const pool = open()
      const db = on(pool)
      const insert = db.insertInto('kysely_book').values({ title: 'Dune', pages: 412 }).returningAll()
      expect(await onPrimary(pool, () => insert.executeTakeFirst())).toEqual({
        id: 4,
        title: 'Dune',
        pages: 412,
        added: new Date('2026-01-01T00:00:00Z'),
      })
      expect(await titles(db)).toEqual(['Emma', 'Rayuela', 'Momo', 'Dune'])
    })

    it('updates and deletes on the primary, and tells how many rows', async () => {
      const pool = open()
      const db = on(pool)
      const update = db
        .updateTable('kysely_book')
        .set((eb) => ({ pages: eb('pages', '+', 1) }))
        .where('pages', '>', 300)
      expect(await onPrimary(pool, () => update.executeTakeFirst())).toMatchObject({ numUpdatedRows: 2n })
      const remove = db.deleteFrom('kysely_book').where('title', '=', 'Momo')
      expect(await onPrimary(pool, () => remove.executeTakeFirst())).toMatchObject({ numDeletedRows: 1n })
      expect(await titles(db)).toEqual(['Emma', 'Rayuela'])
    })

    it('upserts', async () => {
      const db = on(open())
      const upsert = db
        .insertInto('kysely_book')
        .values({ title: 'Momo', pages: 304 })
        .onConflict((conflict) => conflict.column('title').doUpdateSet({ pages: 304 }))
        .returning('pages')
      expect(await upsert.executeTakeFirst()).toEqual({ pages: 304 })
    })

    it('commits a transaction, all of it on the primary, its reads included', async () => {
      const pool = open()
      const db = on(pool)
      await db.transaction().execute(async (trx) => {
        expect(await onPrimary(pool, () => titles(trx))).toHaveLength(3)
        const insert = trx.insertInto('kysely_book').values({ title: 'Dune', pages: 412 })
        await onPrimary(pool, () => insert.execute())
        expect(await onPrimary(pool, () => titles(trx))).toHaveLength(4)
        expect(await titles(db)).toHaveLength(3)
      })
      expect(await titles(db)).toEqual(['Emma', 'Rayuela', 'Momo', 'Dune'])
    })

    it('rolls a transaction back when it throws', async () => {
      const db = on(open())
      const transaction = db.transaction().execute(async (trx) => {
        await trx.deleteFrom('kysely_book').execute()
        expect(await titles(trx)).toEqual([])
        expect(await titles(db)).toHaveLength(3)
        throw rollBack
      })
      expect(await errorOf(transaction)).toBe(rollBack)
      expect(await titles(db)).toHaveLength(3)
    })

    it('rolls a transaction back when a statement fails, with the error of the server', async () => {
      const db = on(open())
      const transaction = db.transaction().execute(async (trx) => {
        await trx.insertInto('kysely_book').values({ title: 'Dune', pages: 412 }).execute()
        expect(await titles(db)).toHaveLength(3)
        await trx.insertInto('kysely_book').values({ title: 'Emma', pages: 1 }).execute()
      })
      expect(await errorOf(transaction)).toMatchObject({ code: '23505', table: 'kysely_book' })
      expect(await titles(db)).toHaveLength(3)
    })

    it('rejects a transaction whose COMMIT was answered ROLLBACK', async () => {
      const db = on(open())
      const transaction = db.transaction().execute(async (trx) => {
        await trx.insertInto('kysely_book').values({ title: 'Dune', pages: 412 }).execute()
        await errorOf(sql`select 1 / 0`.execute(trx))
      })
      await errorOf(transaction)
      expect(await titles(db)).toHaveLength(3)
    })

    it('sees one snapshot in a repeatable, read-only transaction, on the primary', async () => {
      const pool = open()
      const db = on(pool)
      const settings = db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only')
      await settings
        .execute(async (trx) => {
          expect(await onPrimary(pool, () => titles(trx))).toHaveLength(3)
          await db.insertInto('kysely_book').values({ title: 'Dune', pages: 412 }).execute()
          expect(await onPrimary(pool, () => titles(trx))).toHaveLength(3)
          expect(await errorOf(trx.deleteFrom('kysely_book').execute())).toMatchObject({ code: '25006' })
          throw rollBack
        })
        .catch((error: unknown) => expect(error).toBe(rollBack))
      expect(await titles(db)).toHaveLength(4)
    })

    it('goes back to a savepoint of a transaction, and commits the rest', async () => {
      const pool = open()
      const db = on(pool)
      await controlled(db, async (outer) => {
        await onPrimary(pool, () => outer.insertInto('kysely_book').values({ title: 'Dune', pages: 412 }).execute())
        const inner = await outer.savepoint('before_all_go').execute()
        await onPrimary(pool, () => inner.deleteFrom('kysely_book').execute())
        expect(await onPrimary(pool, () => titles(inner))).toEqual([])
        expect(await titles(db)).toHaveLength(3)
        await inner.rollbackToSavepoint('before_all_go').execute()
        expect(await titles(outer)).toHaveLength(4)
        await outer.commit().execute()
      })
      expect(await titles(db)).toEqual(['Emma', 'Rayuela', 'Momo', 'Dune'])
    })

    it('releases a savepoint, and rolls back with what was in it', async () => {
      const db = on(open())
      await controlled(db, async (outer) => {
        const inner = await outer.savepoint('kept').execute()
        await inner.insertInto('kysely_book').values({ title: 'Dune', pages: 412 }).execute()
        expect(await titles(db)).toHaveLength(3)
        const after = await inner.releaseSavepoint('kept').execute()
        expect(await titles(after)).toHaveLength(4)
      })
      expect(await titles(db)).toHaveLength(3)
    })

    it('streams in portions', async () => {
      const db = on(open())
      const seen: string[] = []
      for await (const { title } of db.selectFrom('kysely_book').select('title').orderBy('id').stream(2))
        seen.push(title)
      expect(seen).toEqual(['Emma', 'Rayuela', 'Momo'])
    })

    it('leaves a stream in the middle, and its connection is free again', async () => {
      const pool = open({ max: 1 })
      const db = on(pool)
      for await (const { title } of db.selectFrom('kysely_book').select('title').orderBy('id').stream(1)) {
        expect(title).toBe('Emma')
        break
      }
      await until('no client to be out', () => pool.idleCount === pool.totalCount)
      expect(await titles(db)).toHaveLength(3)
    })

    it('keeps one connection for the time of a function', async () => {
      const pool = open()
      await on(pool)
        .connection()
        .execute(async (db) => {
          await sql`set work_mem = '9MB'`.execute(db)
          await sql`create temp table mine as select 7 as n`.execute(db)
          const { rows } = await sql`select n, current_setting('work_mem') as w from mine`.execute(db)
          expect(rows).toEqual([{ n: 7, w: '9MB' }])
          const pid = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db)
          expect(await pidOf(pool)).not.toBe(pid.rows[0]?.pid)
        })
      expect(pool.idleCount).toBe(pool.totalCount)
    })

    it(`calls onCreateConnection for each ${subject.clientsAreConnections ? 'connection' : 'client'}`, async () => {
      let created = 0
      const onCreateConnection = () => {
        created += 1
        return Promise.resolve()
      }
      const pool = open({ max: 1 })
      const db = new Kysely<Library>({ dialect: new PostgresDialect({ pool, onCreateConnection }) })
      for (let n = 0; n < 3; n += 1)
        await db
          .insertInto('kysely_book')
          .values({ title: `n ${n}`, pages: n })
          .execute()
      expect(created).toBe(subject.clientsAreConnections ? 1 : 3)
    })

    it('answers many queries at once, reads and writes, each with its own result', async () => {
      const db = on(open())
      const numbers = Array.from({ length: 20 }, (_, n) => n)
      const inserted = await Promise.all(
        numbers.map((n) =>
          db
            .insertInto('kysely_book')
            .values({ title: `n ${n}`, pages: n })
            .returning('title')
            .executeTakeFirst(),
        ),
      )
      expect(inserted).toEqual(numbers.map((n) => ({ title: `n ${n}` })))
      const read = await Promise.all(
        numbers.map((n) =>
          db.selectFrom('kysely_book').select('pages').where('title', '=', `n ${n}`).executeTakeFirst(),
        ),
      )
      expect(read).toEqual(numbers.map((n) => ({ pages: n })))
    })

    it('ends its pool when it is destroyed', async () => {
      const pool = open()
      const db = on(pool)
      await titles(db)
      await db.destroy()
      expect(pool.ended).toBe(true)
    })
  })
}
