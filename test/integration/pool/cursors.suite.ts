import { pipeline } from 'node:stream/promises'
import type pg from 'pg'
import Cursor from 'pg-cursor'
import QueryStream from 'pg-query-stream'
import { describe, expect, it } from 'vitest'
import { called, errorOf, pidOf, poolsOf, type Subject, usableAfterwards } from './subject.js'

const numbers = 'select n from generate_series(1, $1::int) as n'

/** pg-cursor and pg-query-stream, which hold a portal open on their connection. */
export function cursors(subject: Subject): void {
  const open = poolsOf(subject)
  const onClient = usableAfterwards(open)

  describe('a cursor', () => {
    it('reads as many rows as are asked for, then the rest, then none', async () => {
      await onClient(async (client) => {
        const cursor = client.query(new Cursor<{ n: number }>(numbers, [5]))
        expect(await cursor.read(2)).toEqual([{ n: 1 }, { n: 2 }])
        expect(await cursor.read(100)).toEqual([{ n: 3 }, { n: 4 }, { n: 5 }])
        expect(await cursor.read(100)).toEqual([])
        await cursor.close()
      })
    })

    it('reads with a callback, which gets the result too', async () => {
      await onClient(async (client) => {
        const cursor = client.query(new Cursor(numbers, [3]))
        const [error, rows, result] = await called<readonly [unknown, unknown[], pg.QueryResult]>((callback) =>
          cursor.read(10, callback),
        )
        expect(error).toBeFalsy()
        expect(rows).toHaveLength(3)
        expect(result.fields.map((field) => field.name)).toEqual(['n'])
      })
    })

    it('gives arrays where rowMode says so, and parses with its own types', async () => {
      await onClient(async (client) => {
        const types: pg.CustomTypesConfig = { getTypeParser: () => (value: string) => `<${value}>` }
        const cursor = client.query(new Cursor('select 1, $1::text', ['x'], { rowMode: 'array', types }))
        expect(await cursor.read(1)).toEqual([['<1>', '<x>']])
        await cursor.close()
      })
    })

    it('can be closed early, with a million rows to come', async () => {
      await onClient(async (client) => {
        const cursor = client.query(new Cursor(numbers, [1_000_000]))
        expect(await cursor.read(10)).toHaveLength(10)
        await cursor.close()
        await cursor.close()
        expect(await cursor.read(10)).toEqual([])
      })
    })

    it('rejects a read with the error of the server', async () => {
      await onClient(async (client) => {
        const cursor = client.query(new Cursor('select 10 / (3 - n) from generate_series(1, 5) as n'))
        expect(await cursor.read(2)).toHaveLength(2)
        expect(await errorOf(cursor.read(2))).toMatchObject({ code: '22012' })
      })
    })

    it('keeps the queries behind it waiting until it is closed', async () => {
      await onClient(async (client) => {
        const cursor = client.query(new Cursor(numbers, [10]))
        let answered = false
        const behind = client.query('select 1 as one').then((result) => {
          answered = true
          return result.rows
        })
        await cursor.read(3)
        await cursor.read(3)
        expect(answered).toBe(false)
        await cursor.close()
        expect(await behind).toEqual([{ one: 1 }])
      })
    })

    it('runs inside a transaction, on its connection', async () => {
      await onClient(async (client) => {
        await client.query('begin; create temp table mine on commit drop as select 7 as n')
        const cursor = client.query(new Cursor('select n, pg_backend_pid() as pid from mine'))
        const rows = await cursor.read(5)
        await cursor.close()
        expect(rows).toEqual([{ n: 7, pid: await pidOf(client) }])
        await client.query('commit')
      })
    })
  })

  describe('a query stream', () => {
    it('is iterated', async () => {
      await onClient(async (client) => {
        let sum = 0
        for await (const { n } of client.query(new QueryStream(numbers, [1_000], { batchSize: 64 }))) sum += n
        expect(sum).toBe(500_500)
      })
    })

    it('can be left in the middle', async () => {
      await onClient(async (client) => {
        const seen: number[] = []
        const stream = client.query(new QueryStream(numbers, [100_000], { batchSize: 8 }))
        for await (const { n } of stream) {
          seen.push(n)
          if (seen.length === 3) break
        }
        expect(seen).toEqual([1, 2, 3])
        expect(stream.destroyed).toBe(true)
      })
    })

    it('fails with the error of the server', async () => {
      await onClient(async (client) => {
        const stream = client.query(new QueryStream('select 1 / (500 - n) from generate_series(1, 1000) as n'))
        await expect(stream.toArray()).rejects.toMatchObject({ code: '22012' })
      })
    })

    it('is piped', async () => {
      await onClient(async (client) => {
        const stream = client.query(new QueryStream(numbers, [250]))
        let count = 0
        await pipeline(stream, async (rows) => {
          for await (const _ of rows) count += 1
        })
        expect(count).toBe(250)
      })
    })

    it('is carried by pool.query: the client comes back when it ends', async () => {
      const pool = open({ max: 1 })
      const stream = new QueryStream(numbers, [300])
      const done: unknown = pool.query(stream)
      expect(await stream.toArray()).toHaveLength(300)
      expect(await done).toMatchObject({ command: 'SELECT' })
      expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    })
  })
}
