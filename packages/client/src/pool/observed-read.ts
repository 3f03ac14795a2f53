import { askProgress } from './ask-server.js'
import type { ServerConnection } from './server-connection.js'

/**
 * One look at how far the server at the other end of a connection has replayed (rule R3). Its own statement with its own Sync:
 * whatever runs on this connection afterwards takes its snapshot later, and replay only grows. The connection keeps what was
 * seen. False when there is no standby any more at its other end.
 */
export async function observeReplay(connection: ServerConnection): Promise<boolean> {
  const progress = await askProgress(connection.client)
  if (!progress.inRecovery || progress.replayed === undefined) return false
  connection.observed = { replayed: progress.replayed, timeline: progress.receivedTimeline }
  return true
}
