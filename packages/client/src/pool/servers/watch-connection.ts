import pg from 'pg'
import type { WatchConnection } from '../../routing/watch-connection.js'
import { askServer } from '../calls/ask-server.js'

/**
 * Opens a connection by which the pool watches a server, none of the application's. It does not keep the process alive. Rejects as
 * node-postgres does; an aborted signal gives it up.
 */
export async function openWatchConnection(config: pg.PoolConfig, signal: AbortSignal): Promise<WatchConnection> {
  // The application's own limits are for its statements.
  const { query_timeout: _query, statement_timeout: _statement, connectionTimeoutMillis: _connection, ...rest } = config
  const client = new pg.Client({ ...rest, password: config.password } as pg.ClientConfig)
  let onBreak: ((error: Error) => void) | undefined
  let isOver = false
  const broke = (error: Error) => {
    if (!isOver) onBreak?.(error)
    isOver = true
  }
  // A server that hangs answers no goodbye.
  const close = () => {
    isOver = true
    client.connection.stream.destroy()
  }
  client.on('error', broke)
  client.on('end', () => broke(new Error('the connection was closed')))
  signal.addEventListener('abort', close, { once: true })
  const connecting = client.connect()
  ;(client as unknown as { unref(): void }).unref()
  await connecting
  // A standby refuses what an application's role may have as its default.
  await client.query("set default_transaction_isolation = 'read committed'")
  let last: Promise<unknown> = Promise.resolve()
  return {
    query: (text, name) => {
      // One after the other: node-postgres warns of a query that is given to a client which has one already.
      const row = last.then(async () => [await askServer(client, text, name)])
      last = row.catch(() => {})
      return row
    },
    processId: (client as unknown as { processID: number | null }).processID ?? undefined,
    close,
    onBreak: (listener) => {
      onBreak = listener
    },
  }
}
