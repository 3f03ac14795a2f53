import { pipeline } from 'node:stream/promises'
import pg from 'pg'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import { describe, expect, it } from 'vitest'
import { called, errorOf, poolsOf, type Subject, usableAfterwards } from './subject.js'

const numbers = 'select n from generate_series(1, $1::int) as n'

/** Objects with a `submit`, which talk to the connection themselves. */
export function submittables(subject: Subject): void {
  const open = poolsOf(subject)

  const onClient = usableAfterwards(open)

  describe('a Query object', () => {
    it('is given back by client.query, and emits its rows and its end', async () => {
      await onClient(async (client) => {
        const query = new pg.Query<{ n: number }>(numbers, [3])
        expect(client.query(query)).toBe(query)
        const rows: unknown[] = []
        query.on('row', (row, result) => rows.push([row.n, result !== undefined]))
        const [result] = await called<readonly unknown[]>((callback) => query.on('end', callback))
        expect(rows).toEqual([1, 2, 3].map((n) => [n, true]))
        // Who listens for rows gets none in the result.
        expect(result).toMatchObject({ command: 'SELECT', rowCount: 3, rows: [] })
      })
    })

    it('collects rows where nobody listens for them', async () => {
      await onClient(async (client) => {
        const query = client.query(new pg.Query(numbers, [2]))
        const [result] = await called<readonly unknown[]>((callback) => query.on('end', callback))
        expect(result).toMatchObject({ rows: [{ n: 1 }, { n: 2 }] })
      })
    })

    it('emits its error', async () => {
      await onClient(async (client) => {
        const query = client.query(new pg.Query('select 1 / 0'))
        const [error] = await called<readonly unknown[]>((callback) => query.on('error', callback))
        expect(error).toMatchObject({ code: '22012' })
      })
    })

    it('calls its callback', async () => {
      await onClient(async (client) => {
        const [error, result] = await called<readonly unknown[]>((callback) =>
          client.query(new pg.Query('select 1 as one', callback as () => void)),
        )
        expect(error).toBeFalsy()
        expect(result).toMatchObject({ rows: [{ one: 1 }] })
      })
    })
  })

  describe('COPY', () => {
    it('takes rows from a stream and gives them to one', async () => {
      await onClient(async (client) => {
        await client.query('create temp table crate (id int, what text)')
        const into = client.query(copyFrom('copy crate from stdin (format csv)'))
        await pipeline([Buffer.from('1,figs\n2,"kiwis, green"\n'), Buffer.from('3,limes\n')], into)
        expect(into.rowCount).toBe(3)
        const chunks = await client.query(copyTo('copy crate to stdout (format csv)')).toArray()
        expect(Buffer.concat(chunks).toString()).toBe('1,figs\n2,"kiwis, green"\n3,limes\n')
        await client.query('drop table crate')
      })
    })

    it('fails where a row is not of its table', async () => {
      await onClient(async (client) => {
        await client.query('create temp table crate (id int)')
        const into = client.query(copyFrom('copy crate from stdin'))
        expect(await errorOf(pipeline([Buffer.from('one\n')], into))).toMatchObject({ code: '22P02' })
        await client.query('drop table crate')
      })
    })

    it('from stdin without a stream is refused, and does not hang', async () => {
      await onClient(async (client) => {
        await client.query('create temp table crate (id int)')
        expect(await errorOf(client.query('copy crate from stdin'))).toMatchObject({ code: '57014' })
        await client.query('drop table crate')
      })
    })
  })

  describe('a submittable of one’s own', () => {
    it('is given back by client.query, gets the connection, then the messages', async () => {
      await onClient(async (client) => {
        const own = new OneStatement('select 1 as a; select 2 as b')
        expect(client.query(own)).toBe(own)
        await own.ready
        expect(own.seen).toEqual([
          'rowDescription',
          '1',
          'complete SELECT 1',
          'rowDescription',
          '2',
          'complete SELECT 1',
        ])
        expect(own.connection).toBe(client.connection)
      })
    })

    it('gets the error of the server', async () => {
      await onClient(async (client) => {
        const own = new OneStatement('select 1 / 0')
        client.query(own)
        await own.ready
        expect(own.seen).toEqual(['error 22012'])
      })
    })

    it('waits for its turn among queries', async () => {
      await onClient(async (client) => {
        const before = client.query('create temp table turn as select 1 as n')
        const own = client.query(new OneStatement('select n from turn'))
        const after = client.query('drop table turn')
        await Promise.all([before, own.ready, after])
        expect(own.seen).toEqual(['rowDescription', '1', 'complete SELECT 1'])
      })
    })
  })
}

/** Writes down what a Client tells the object that runs on it. */
class OneStatement implements pg.Submittable {
  readonly seen: string[] = []
  readonly ready: Promise<void>
  connection: pg.Connection | undefined
  readonly #text: string
  #settle: () => void = () => {}

  constructor(text: string) {
    this.#text = text
    this.ready = new Promise((resolve) => {
      this.#settle = resolve
    })
  }

  submit(connection: pg.Connection): void {
    this.connection = connection
    connection.query(this.#text)
  }

  handleRowDescription(): void {
    this.seen.push('rowDescription')
  }

  handleDataRow({ fields }: { readonly fields: readonly unknown[] }): void {
    this.seen.push(String(fields[0]))
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    this.seen.push(`complete ${text}`)
  }

  handleReadyForQuery(): void {
    this.#settle()
  }

  handleError(error: Error & { readonly code?: string }): void {
    this.seen.push(`error ${error.code}`)
    this.#settle()
  }
}
