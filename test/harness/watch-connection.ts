import pg from 'pg'
import type { Connect } from '../../packages/client/src/routing/watch-connection.js'

/** Watching connections by node-postgres, as the given role. */
export function connectAs(user: string, password: string, database = 'postgres'): Connect {
  return async (address, signal) => {
    const [host = '', port] = address.split(':')
    const client = new pg.Client({ host, port: Number(port), user, password, database, connectionTimeoutMillis: 5000 })
    let onBreak: ((error: Error) => void) | undefined
    let closed = false
    const broke = (error: Error) => {
      if (!closed) onBreak?.(error)
      closed = true
    }
    client.on('error', broke)
    client.on('end', () => broke(new Error('the connection ended')))
    const close = () => {
      closed = true
      // A hung server does not answer a goodbye.
      ;(client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy()
    }
    signal.addEventListener('abort', close)
    await client.connect()
    return {
      processId: (client as unknown as { processID: number | undefined }).processID,
      query: async (text) => (await client.query<Record<string, unknown>>(text)).rows,
      close,
      onBreak: (listener) => {
        onBreak = listener
      },
    }
  }
}
