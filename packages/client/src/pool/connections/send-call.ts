import pg from 'pg'
import { abortError } from '../calls/abort.js'
import { withOutcome } from '../calls/outcome.js'
import type { QueryCall, QueryCallback } from '../calls/query-arguments.js'
import type { ServerConnection } from './server-connection.js'

/** How long a statement that was cancelled may still take before its connection is closed, in milliseconds. */
const cancelMs = 2000

/** Runs a call on a connection. Calls back once; what node-postgres throws at once comes that way too. */
export function sendCall(connection: ServerConnection, call: QueryCall, told: QueryCallback): void {
  const { signal } = call.options
  if (signal === undefined) return send(connection.client, call, told)
  if (signal.aborted) return told(withOutcome(abortError(signal), 'not-started'), undefined)
  call.isSent = true
  let cancelling: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  const close = () => void connection.client.connection.stream.destroy()
  const aborted = () => {
    timer = setTimeout(close, cancelMs)
    cancelling = cancel(connection).catch(close)
  }
  signal.addEventListener('abort', aborted, { once: true })
  send(connection.client, call, (error, result) => {
    signal.removeEventListener('abort', aborted)
    clearTimeout(timer)
    // A cancel that is still under way would hit whoever has this connection next.
    if (cancelling === undefined) told(error, result)
    else void cancelling.then(() => told(error, result))
  })
}

function send(client: pg.ClientBase, { config, values }: QueryCall, told: QueryCallback): void {
  let isOver = false
  // After a value that cannot be sent node-postgres tells twice: of the error, and of an answer to nothing.
  const once: QueryCallback = (error, result) => {
    if (isOver) return
    isOver = true
    told(error ?? undefined, result)
  }
  try {
    Reflect.apply(client.query as (...given: unknown[]) => unknown, client, [config, values, once])
  } catch (error) {
    once(error as Error, undefined)
  }
}

/** Asks the server, on another connection with the same login and TLS, to end what runs on this one. */
async function cancel({ client, node, isPooled }: ServerConnection): Promise<void> {
  // Through a pooler the process that runs it is not known.
  if (isPooled) throw new Error('there is a pooler in between')
  const { options } = node.pool
  const asking = new pg.Client({ ...options, password: options.password, connectionTimeoutMillis: cancelMs })
  asking.on('error', () => {})
  try {
    await asking.connect()
    const { processID } = client as { processID?: number | null }
    await asking.query(`select pg_catalog.pg_cancel_backend(${Number(processID)})`)
  } finally {
    void asking.end().catch(() => {})
  }
}
