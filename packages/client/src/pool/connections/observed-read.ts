import { nextNumber } from '../../routing/sequence.js'
import { parseProgress } from '../../routing/topology/parse-probe.js'
import { replayAndTimelineQuery, replayQuery } from '../../routing/topology/probe-query.js'
import { askProgress, askServerFirst } from '../calls/ask-server.js'
import type { ServerConnection } from './server-connection.js'

/**
 * One look at how far the server at the other end of a connection has replayed (rule R3). Its own statement with its own Sync:
 * whatever runs on this connection afterwards takes its snapshot later, and replay only grows. The connection keeps what was
 * seen. False when there is no standby any more at its other end.
 */
export async function observeReplay(connection: ServerConnection): Promise<boolean> {
  const at = nextNumber()
  return connection.note(await askProgress(connection.client), at)
}

/**
 * The same in one flight with what is sent behind it, on a pipelined connection: the position is noted before any of that is answered.
 * @param seesReceiver Whether the role sees what the WAL receiver does.
 */
export function observeReplayFirst(connection: ServerConnection, seesReceiver: boolean): void {
  const at = nextNumber()
  askServerFirst(connection.client, seesReceiver ? replayAndTimelineQuery : replayQuery, (row) => {
    if (row?.['in_recovery'] === 'true') connection.note(parseProgress(row), at)
    // Without an answer nothing is known, and nothing of a server that was promoted: what stands behind it is asked again.
    else connection.observed = undefined
  })
}
