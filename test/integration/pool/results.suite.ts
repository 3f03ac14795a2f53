import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sql } from '../../harness/sql.js'
import { poolsOf, type Subject } from './subject.js'

/** The shape of a result. */
export function results(subject: Subject): void {
  describe('a result', () => {
    const open = poolsOf(subject)

    beforeAll(async () => {
      await sql(subject.servers().nodeUrls[0], 'create table fruit (id int primary key, name text not null)')
    })
    afterAll(async () => {
      await sql(subject.servers().nodeUrls[0], 'drop table fruit')
    })

    it('of a SELECT has command, rowCount, rows and fields, and no oid', async () => {
      const result = await open().query(`select n, 'x' || n as t from generate_series(1, 2) as n`)
      expect(result).toMatchObject({ command: 'SELECT', rowCount: 2, oid: null })
      expect(result.rows).toEqual([
        { n: 1, t: 'x1' },
        { n: 2, t: 'x2' },
      ])
      expect(result).toBeInstanceOf((pg as unknown as { Result: typeof Object }).Result)
    })

    it('says of each field its name, type, size, modifier and format', async () => {
      const { fields } = await open().query('select 1::int4 as n, null::varchar(7) as v')
      expect(fields).toMatchObject([
        { name: 'n', dataTypeID: 23, dataTypeSize: 4, dataTypeModifier: -1, format: 'text', tableID: 0, columnID: 0 },
        { name: 'v', dataTypeID: 1043, dataTypeSize: -1, dataTypeModifier: 11, format: 'text' },
      ])
    })

    it('says of a column of a table which one it is', async () => {
      const pool = open()
      const { rows } = await pool.query(`select 'fruit'::regclass::oid::int as id`)
      const { fields } = await pool.query('select name, id from fruit')
      expect(fields.map((field) => [field.tableID, field.columnID])).toEqual([
        [rows[0].id, 2],
        [rows[0].id, 1],
      ])
    })

    it('has fields also when it has no rows', async () => {
      const result = await open().query('select 1 as one where false')
      expect(result.rows).toEqual([])
      expect(result.rowCount).toBe(0)
      expect(result.fields.map((field) => field.name)).toEqual(['one'])
    })

    it('has the last of two columns with one name', async () => {
      const { rows } = await open().query('select 1 as a, 2 as a')
      expect(rows).toEqual([{ a: 2 }])
    })

    it('of INSERT, UPDATE, DELETE and MERGE counts the rows that were changed', async () => {
      const pool = open()
      const counts: unknown[] = []
      for (const text of [
        `insert into fruit values (1, 'fig'), (2, 'kiwi'), (3, 'lime')`,
        'update fruit set name = upper(name) where id > 1',
        `merge into fruit using (values (1), (9)) as v (id) on fruit.id = v.id
           when matched then update set name = 'date' when not matched then insert values (v.id, 'plum')`,
        'delete from fruit',
      ]) {
        const { command, rowCount, rows } = await pool.query(text)
        counts.push([command, rowCount, rows.length])
      }
      expect(counts).toEqual([
        ['INSERT', 3, 0],
        ['UPDATE', 2, 0],
        ['MERGE', 2, 0],
        ['DELETE', 4, 0],
      ])
    })

    it('of INSERT ... RETURNING has the rows', async () => {
      const pool = open()
      const result = await pool.query('insert into fruit values ($1, $2) returning *', [5, 'sloe'])
      expect(result).toMatchObject({ command: 'INSERT', rowCount: 1, oid: 0, rows: [{ id: 5, name: 'sloe' }] })
      await pool.query('delete from fruit')
    })

    it('of a command without a count has rowCount null', async () => {
      const pool = open()
      const created = await pool.query('create table pear ()')
      const dropped = await pool.query('drop table pear')
      expect([created.command, created.rowCount, dropped.command, dropped.rowCount]).toEqual([
        'CREATE',
        null,
        'DROP',
        null,
      ])
    })

    it('of SHOW has its row', async () => {
      const result = await open().query('show server_encoding')
      expect(result).toMatchObject({ command: 'SHOW', rows: [{ server_encoding: 'UTF8' }] })
    })

    it('of several statements is one for each, also when they differ in kind', async () => {
      const many: unknown = await open().query(`
        create temp table berry (n int); insert into berry values (1), (2); select sum(n)::int as s from berry; drop table berry`)
      expect(many).toMatchObject([
        { command: 'CREATE', rowCount: null, rows: [] },
        { command: 'INSERT', rowCount: 2, rows: [] },
        { command: 'SELECT', rowCount: 1, rows: [{ s: 3 }] },
        { command: 'DROP', rowCount: null, rows: [] },
      ])
    })

    it('of a row with many columns and a large value is whole', async () => {
      const columns = Array.from({ length: 300 }, (_, index) => `${index} as c${index}`).join(', ')
      const { rows } = await open().query(`select ${columns}, repeat('é', 300000) as long`)
      expect(Object.keys(rows[0])).toHaveLength(301)
      expect(rows[0].c299).toBe(299)
      expect(rows[0].long).toBe('é'.repeat(300_000))
    })
  })
}
