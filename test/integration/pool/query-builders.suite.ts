import type pg from 'pg'
import { afterAll, beforeAll, beforeEach, expect } from 'vitest'
import { sql } from '../../harness/sql.js'
import { poolsOf, type Subject, until } from './subject.js'

/** A subject of which can be seen where its statements run. */
export type RoutedSubject = Subject & {
  /** Where the last statement of the pool, or of one of its clients, was answered. */
  readonly lastServer: (pool: pg.Pool) => Server
  /** Where reads go that are in no transaction, once the replicas have what the pool wrote. */
  readonly readsRunOn: Server
}

export type Server = 'primary' | 'replica'

export type Shelf = {
  /** A new pool, for each case its own. */
  readonly open: (options?: pg.PoolConfig) => pg.Pool
  /** Reads until the read was answered where reads belong: a replica may be late by a moment. Gives what was read there. */
  readonly readWhereReadsRun: <T>(pool: pg.Pool, read: () => Promise<T>) => Promise<T>
  /** Expects that the statement is answered by the primary. */
  readonly onPrimary: <T>(pool: pg.Pool, statement: () => Promise<T>) => Promise<T>
}

/** Registers, in a describe, a table `book` (id, title, pages, added) that has the same three rows before each case. */
export function shelfOf(subject: RoutedSubject, table: string): Shelf {
  const open = poolsOf(subject)
  const primary = () => subject.servers().nodeUrls[0]

  beforeAll(async () => {
    await sql(
      primary(),
      `create table ${table} (id int primary key generated always as identity, title text not null unique,
         pages int not null, added timestamptz not null default '2026-01-01')`,
    )
  })
  beforeEach(async () => {
    await sql(
      primary(),
      `truncate ${table} restart identity; insert into ${table} (title, pages) values ('Emma', 474), ('Rayuela', 600), ('Momo', 270)`,
    )
  })

  afterAll(async () => {
    await sql(primary(), `drop table ${table}`)
  })

  return {
    open,
    readWhereReadsRun: async (pool, read) => {
      let rows = await read()
      await until(`a read on the ${subject.readsRunOn}`, async () => {
        rows = await read()
        return subject.lastServer(pool) === subject.readsRunOn
      })
      return rows
    },
    onPrimary: async (pool, statement) => {
      const outcome = await statement()
      expect(subject.lastServer(pool)).toBe('primary')
      return outcome
    },
  }
}
