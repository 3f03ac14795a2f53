import { asc, DrizzleQueryError, eq, gt, sql, TransactionRollbackError } from 'drizzle-orm'
import { drizzle as drizzleOn } from 'drizzle-orm/node-postgres'
import { integer, pgTable, text, timestamp } from 'drizzle-orm/pg-core'
import type pg from 'pg'
import { describe, expect, it } from 'vitest'
import { type RoutedSubject, shelfOf } from './query-builders.suite.js'
import { errorOf } from './subject.js'

const book = pgTable('drizzle_book', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  title: text().notNull().unique(),
  pages: integer().notNull(),
  added: timestamp({ withTimezone: true }).notNull().defaultNow(),
})

const on = (pool: pg.Pool) => drizzleOn({ client: pool, schema: { book } })
type Database = Pick<ReturnType<typeof on>, 'select'>

const rollBack = new Error('roll back')

/** Drizzle, unchanged, on a pool. */
export function drizzle(subject: RoutedSubject): void {
  describe('Drizzle', () => {
    const { open, readWhereReadsRun, onPrimary } = shelfOf(subject, 'drizzle_book')

    const titles = async (db: Database) => {
      const rows = await db.select({ title: book.title }).from(book).orderBy(asc(book.id))
      return rows.map((row) => row.title)
    }

    it(`selects, on the ${subject.readsRunOn}`, async () => {
      const pool = open()
      const db = on(pool)
      const thick = () => db.select().from(book).where(gt(book.pages, 500)).execute()
      expect(await readWhereReadsRun(pool, thick)).toEqual([
        { id: 2, title: 'Rayuela', pages: 600, added: new Date('2026-01-01T00:00:00Z') },
      ])
    })

    it(`counts, finds by relations, and runs SQL of one's own, on the ${subject.readsRunOn}`, async () => {
      const pool = open()
      const db = on(pool)
      expect(await readWhereReadsRun(pool, async () => await db.$count(book, gt(book.pages, 300)))).toBe(2)
      const find = () => db.query.book.findFirst({ columns: { title: true }, where: eq(book.pages, 270) }).execute()
      expect(await readWhereReadsRun(pool, find)).toEqual({ title: 'Momo' })
      const sum = sql`select sum(${book.pages})::int as n from ${book} where ${book.pages} < ${500}`
      expect((await readWhereReadsRun(pool, async () => await db.execute(sum))).rows).toEqual([{ n: 744 }])
    })

    it('inserts on the primary, returns the row, and reads it back at once', async () => {
      const pool = open()
      const db = on(pool)
      const insert = db.insert(book).values({ title: 'Dune', pages: 412 }).returning({ id: book.id, title: book.title })
      expect(await onPrimary(pool, () => insert.execute())).toEqual([{ id: 4, title: 'Dune' }])
      expect(await titles(db)).toEqual(['Emma', 'Rayuela', 'Momo', 'Dune'])
    })

    it('updates and deletes on the primary, and tells how many rows', async () => {
      const pool = open()
      const db = on(pool)
      const update = db
        .update(book)
        .set({ pages: sql`${book.pages} + 1` })
        .where(gt(book.pages, 300))
      expect(await onPrimary(pool, () => update.execute())).toMatchObject({ command: 'UPDATE', rowCount: 2 })
      const remove = db.delete(book).where(eq(book.title, 'Momo')).returning({ pages: book.pages })
      expect(await onPrimary(pool, () => remove.execute())).toEqual([{ pages: 270 }])
      expect(await titles(db)).toEqual(['Emma', 'Rayuela'])
    })

    it('upserts', async () => {
      const db = on(open())
      const upsert = db
        .insert(book)
        .values({ title: 'Momo', pages: 304 })
        .onConflictDoUpdate({ target: book.title, set: { pages: 304 } })
        .returning({ pages: book.pages })
      expect(await upsert).toEqual([{ pages: 304 }])
    })

    it('gives the error of the server as the cause of its own', async () => {
      const error = await errorOf(on(open()).insert(book).values({ title: 'Emma', pages: 1 }).execute())
      expect(error).toBeInstanceOf(DrizzleQueryError)
      expect(error.cause).toMatchObject({ code: '23505', table: 'drizzle_book' })
    })

    it('commits a transaction, all of it on one connection to the primary, its reads included', async () => {
      const pool = open()
      const db = on(pool)
      await db.transaction(async (tx) => {
        expect(await onPrimary(pool, () => titles(tx))).toHaveLength(3)
        await onPrimary(pool, () => tx.insert(book).values({ title: 'Dune', pages: 412 }).execute())
        expect(await onPrimary(pool, () => titles(tx))).toHaveLength(4)
        const { rows } = await db.execute(sql`select count(*)::int as n, pg_backend_pid() > 0 as here from ${book}`)
        expect(rows).toEqual([{ n: 3, here: true }])
      })
      expect(await titles(db)).toEqual(['Emma', 'Rayuela', 'Momo', 'Dune'])
    })

    it('rolls a transaction back when it throws, and when it says so', async () => {
      const db = on(open())
      const thrown = db.transaction(async (tx) => {
        await tx.delete(book)
        throw rollBack
      })
      expect(await errorOf(thrown)).toBe(rollBack)
      const said = db.transaction(async (tx) => {
        await tx.delete(book)
        expect(await titles(tx)).toEqual([])
        expect(await titles(db)).toHaveLength(3)
        tx.rollback()
      })
      expect(await errorOf(said)).toBeInstanceOf(TransactionRollbackError)
      expect(await titles(db)).toHaveLength(3)
    })

    it('goes back to the savepoint of a nested transaction, and commits the rest', async () => {
      const pool = open()
      const db = on(pool)
      await db.transaction(async (outer) => {
        await outer.insert(book).values({ title: 'Dune', pages: 412 })
        const inner = outer.transaction(async (tx) => {
          await onPrimary(pool, () => tx.delete(book).execute())
          expect(await onPrimary(pool, () => titles(tx))).toEqual([])
          expect(await titles(db)).toHaveLength(3)
          throw rollBack
        })
        expect(await errorOf(inner)).toBe(rollBack)
        expect(await onPrimary(pool, () => titles(outer))).toHaveLength(4)
        await outer.transaction(async (tx) => {
          await tx.insert(book).values({ title: 'Ulises', pages: 730 })
        })
      })
      expect(await titles(db)).toEqual(['Emma', 'Rayuela', 'Momo', 'Dune', 'Ulises'])
    })

    it('sees one snapshot in a repeatable, read-only transaction, on the primary', async () => {
      const pool = open()
      const db = on(pool)
      const read = async (tx: Database) => {
        expect(await onPrimary(pool, () => titles(tx))).toHaveLength(3)
        await db.insert(book).values({ title: 'Dune', pages: 412 })
        expect(await onPrimary(pool, () => titles(tx))).toHaveLength(3)
      }
      await db.transaction(read, { isolationLevel: 'repeatable read', accessMode: 'read only' })
      expect(await titles(db)).toHaveLength(4)
    })

    it(`runs a prepared select with other values, on any connection, on the ${subject.readsRunOn}`, async () => {
      const pool = open({ max: 3 })
      const byPages = on(pool)
        .select({ title: book.title })
        .from(book)
        .where(gt(book.pages, sql.placeholder('least')))
        .orderBy(asc(book.title))
        .prepare('books_by_pages')
      const read = () => byPages.execute({ least: 300 })
      expect(await readWhereReadsRun(pool, read)).toEqual([{ title: 'Emma' }, { title: 'Rayuela' }])
      const many = await Promise.all([0, 300, 500, 900, 300, 0].map((least) => byPages.execute({ least })))
      expect(many.map((rows) => rows.length)).toEqual([3, 2, 1, 0, 2, 3])
    })

    it('runs a prepared insert, also in a transaction', async () => {
      const pool = open()
      const db = on(pool)
      const values = { title: sql.placeholder('title'), pages: sql.placeholder('pages') }
      const add = db.insert(book).values(values).returning({ id: book.id }).prepare('add_book')
      expect(await onPrimary(pool, () => add.execute({ title: 'Dune', pages: 412 }))).toEqual([{ id: 4 }])
      const ids = await db.transaction(async (tx) => {
        const again = tx.insert(book).values(values).returning({ id: book.id }).prepare('add_book_in_transaction')
        return [
          await again.execute({ title: 'Ulises', pages: 730 }),
          await again.execute({ title: 'Solaris', pages: 204 }),
        ]
      })
      expect(ids).toEqual([[{ id: 5 }], [{ id: 6 }]])
      expect(await titles(db)).toHaveLength(6)
    })

    it('runs transactions at once, each on a connection of its own', async () => {
      const pool = open({ max: 4 })
      const db = on(pool)
      const numbers = Array.from({ length: 12 }, (_, n) => n)
      await Promise.all(
        numbers.map((n) =>
          db
            .transaction(async (tx) => {
              await tx.insert(book).values({ title: `n ${n}`, pages: n })
              if (n % 3 === 0) tx.rollback()
            })
            .catch((error: unknown) => expect(error).toBeInstanceOf(TransactionRollbackError)),
        ),
      )
      expect(await titles(db)).toHaveLength(3 + 8)
      expect(pool.idleCount).toBe(pool.totalCount)
    })

    it('gives its pool back', () => {
      const pool = open()
      expect(on(pool).$client).toBe(pool)
    })
  })
}
