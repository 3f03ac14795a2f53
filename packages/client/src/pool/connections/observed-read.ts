import { nextNumber } from '../../routing/sequence.js'
import { parseProgress } from '../../routing/topology/parse-probe.js'
import { replayAndTimelineQuery, replayQuery } from '../../routing/topology/probe-query.js'
import type { Progress } from '../../routing/topology/server-state.js'
import { askProgress, askServerFirst } from '../calls/ask-server.js'
import type { ServerConnection } from './server-connection.js'

/**
 * One look at how far the server at the other end of a connection has replayed (rule R3). Its own statement with its own Sync:
 * whatever runs on this connection afterwards takes its snapshot later, and replay only grows. The connection keeps what was
 * seen. False when there is no standby any more at its other end.
 */
export async function observeReplay(connection: ServerConnection): Promise<boolean> {
  const at = nextNumber()
  return note(connection, at, await askProgress(connection.client))
}

/**
 * The same in one flight with what is sent behind it, on a pipelined connection: the position is noted before any of that is answered.
 * @param seesReceiver Whether the role sees what the WAL receiver does.
 */
export function observeReplayFirst(connection: ServerConnection, seesReceiver: boolean): void {
  const at = nextNumber()
  askServerFirst(connection.client, seesReceiver ? replayAndTimelineQuery : replayQuery, (row) => {
    // Without an answer nothing is known, and what stands behind it is asked again.
    if (row?.['in_recovery'] === 'true') note(connection, at, parseProgress(row))
  })
}

function note(connection: ServerConnection, at: number, progress: Progress): boolean {
  if (!progress.inRecovery || progress.replayed === undefined) return false
  connection.observed = { replayed: progress.replayed, at, timeline: progress.receivedTimeline }
  return true
}
