import { setTimeout as sleep } from 'node:timers/promises'
import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import pg from 'pg'
import { expect } from 'vitest'
import { sql } from '../harness/sql.js'

/** Rows 1, 2, 3, … in a table of a primary. A row whose commit was acknowledged has to be there for ever after. */
export class NumberedRows {
  readonly #url: () => string
  readonly #acknowledged = new Set<number>()
  #last = 0

  /** The address of the primary, which may not be known before it exists. */
  constructor(url: () => string) {
    this.#url = url
  }

  /** For a primary that is made anew. */
  forget(): void {
    this.#acknowledged.clear()
    this.#last = 0
  }

  async write(): Promise<void> {
    await this.#connected((client) => this.#insert(client))
  }

  /** A row if the primary takes connections at the moment. */
  async writeIfPossible(): Promise<void> {
    await this.write().catch(() => {})
  }

  /** Writes row after row while something else goes on, with or without a primary. */
  async writeDuring<T>(work: () => Promise<T>): Promise<T> {
    let goesOn = true
    const writing = (async () => {
      while (goesOn) {
        const untilItBreaks = async (client: pg.Client): Promise<void> => {
          while (goesOn) {
            await this.#insert(client)
            await sleep(5)
          }
        }
        await this.#connected(untilItBreaks).catch(() => sleep(20))
      }
    })()
    try {
      return await work()
    } finally {
      goesOn = false
      await writing
    }
  }

  /** Every acknowledged row is on the primary, none that was never written, and every replica has the same rows. */
  async expectWhole(replicas: readonly string[]): Promise<void> {
    const onPrimary = await rowsOf(this.#url())
    expect([...this.#acknowledged].filter((number) => !onPrimary.includes(number))).toEqual([])
    expect(onPrimary.filter((number) => number > this.#last)).toEqual([])
    for (const replica of replicas) {
      await waitUntil(
        async () => {
          const seen = await rowsOf(replica).then(String, String)
          return seen === String(onPrimary) ? { done: true, value: undefined } : { done: false, seen: seen.slice(-60) }
        },
        { awaited: `the rows of the primary on ${replica}`, deadline: Deadline.after(20_000) },
      )
    }
  }

  async #connected(work: (client: pg.Client) => Promise<void>): Promise<void> {
    const client = new pg.Client({ connectionString: this.#url(), connectionTimeoutMillis: 20_000 })
    client.on('error', () => {})
    try {
      await client.connect()
      await client.query('create table if not exists numbered (n bigint primary key)')
      await work(client)
    } finally {
      await client.end().catch(() => {})
    }
  }

  async #insert(client: pg.Client): Promise<void> {
    this.#last += 1
    const number = this.#last
    await client.query('insert into numbered values ($1)', [number])
    this.#acknowledged.add(number)
  }
}

async function rowsOf(url: string): Promise<readonly number[]> {
  return (await sql<{ n: string }>(url, 'select n from numbered order by n')).map(({ n }) => Number(n))
}
