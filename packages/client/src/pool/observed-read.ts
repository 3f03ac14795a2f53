import { parseLsn } from '../postgres/lsn.js'
import { askServer } from './ask-server.js'
import type { ServerConnection } from './server-connection.js'

/**
 * One look at how far the server at the other end of a connection has replayed (rule R3). Its own statement with its own Sync:
 * whatever runs on this connection afterwards takes its snapshot later, and replay only grows.
 */
const observingQuery = `select pg_catalog.pg_is_in_recovery()::text as in_recovery, pg_catalog.pg_last_wal_replay_lsn()::text as replayed`

/** Notes on the connection what it saw. False when there is no standby any more at its other end. */
export async function observeReplay(connection: ServerConnection): Promise<boolean> {
  const { in_recovery, replayed } = await askServer(connection.client, observingQuery)
  if (in_recovery !== 'true' || !replayed) return false
  connection.replayed = parseLsn(replayed)
  return true
}
