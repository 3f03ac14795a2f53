import type pg from 'pg'
import type { TextRow } from '../calls/ask-server.js'
import { openWatchConnection } from './watch-connection.js'

/** For all questions about the names of a database, in milliseconds. */
const timeoutMs = 30_000

/** A connection of its own for questions about the names of a database: the application's are counted, and the watch's must not wait. */
export class CatalogConnection {
  #asking: AbortController | undefined

  /** Runs texts of one row each. Rejects as node-postgres does, also when it was stopped. */
  async ask(config: pg.PoolConfig, texts: readonly string[]): Promise<readonly TextRow[]> {
    const asking = new AbortController()
    this.#asking = asking
    const timer = setTimeout(() => asking.abort(), timeoutMs)
    timer.unref()
    try {
      const connection = await openWatchConnection(config, asking.signal)
      const rows: TextRow[] = []
      for (const text of texts) rows.push(...((await connection.query(text)) as readonly TextRow[]))
      return rows
    } finally {
      clearTimeout(timer)
      // Closes the connection, open or not.
      asking.abort()
    }
  }

  /** Closes it, whatever is being asked. */
  stop(): void {
    this.#asking?.abort()
  }
}
