import { parseLsn } from '../../postgres/lsn.js'
import type { CaptureReading } from '../../routing/consistency/capture.js'
import { writtenQuery } from '../../routing/topology/probe-query.js'
import type { NodeView } from '../../routing/topology/topology.js'
import type { Watch } from '../../routing/watch.js'
import { askProgress, askServer } from '../calls/ask-server.js'
import type { NodeConnections } from '../connections/node-connections.js'
import type { ServerConnection } from '../connections/server-connection.js'
import type { CaptureConnection } from './captures.js'

/**
 * A connection to the known primary that was opened before `openedBefore`, over which its log's positions are read (rule W3):
 * the watch's own when it is old enough, else one of the application's that is free, or has nothing to do until the positions are read.
 */
export function captureConnection(
  watch: Watch,
  nodeOf: (address: string) => NodeConnections | undefined,
  isPrimary: (connection: ServerConnection) => boolean,
  openedBefore: number,
): CaptureConnection | undefined {
  const view = watch.topology.primary
  if (view?.timeline === undefined) return undefined
  if (view.connection !== 0 && view.connection < openedBefore) return watching(watch, view)
  const node = nodeOf(view.address)
  if (node === undefined) return undefined
  const idle = idleBefore(node, openedBefore)
  // With all of them out, those who wait for this very reading would wait for ever.
  const connection = idle ?? awaitingBefore(node, openedBefore)
  if (connection === undefined) return undefined
  if (connection === idle) idle.isDispensable = true
  return {
    number: connection.number,
    read: async () => {
      const wasPrimary = isPrimary(connection)
      const progress = await askProgress(connection.client).finally(() => idle?.release())
      if (!wasPrimary || progress.inRecovery) throw new Error('not the primary any more')
      return readingOf(view, progress)
    },
    giveBack: () => idle?.release(),
  }
}

/** The connection of a write, over which they are read behind that write (rule W2): the topology, which did not ask, is told. */
export function followingConnection(
  watch: Watch,
  { client, number, node }: ServerConnection,
): CaptureConnection | undefined {
  const view = watch.topology.primary
  if (view?.address !== node.address) return undefined
  return {
    number,
    read: async () => {
      const { inserted, flushed } = await askServer(client, writtenQuery)
      const reading = readingOf(view, { inserted: parseLsn(inserted ?? ''), flushed: parseLsn(flushed ?? '') })
      const { systemIdentifier = '', startedAt = '' } = view
      const { timeline } = reading
      const wrote = { systemIdentifier, startedAt, timeline, inserted: reading.insert }
      watch.report({ address: node.address, wrote })
      return reading
    },
  }
}

function watching(watch: Watch, view: NodeView): CaptureConnection {
  return {
    number: view.connection,
    read: async () => {
      const { progress, connection } = await watch.progress(view.address)
      if (progress.inRecovery || connection !== view.connection) throw new Error('not the primary any more')
      return readingOf(view, progress)
    },
  }
}

function readingOf(
  { timeline, walBlockSize = 8192, walSegmentSize = 16_777_216 }: NodeView,
  { inserted, flushed }: { readonly inserted: CaptureReading['insert']; readonly flushed: CaptureReading['flush'] },
): CaptureReading {
  if (timeline === undefined) throw new Error('the timeline of the primary is not known')
  return { insert: inserted, flush: flushed, timeline, pageBytes: walBlockSize, segmentBytes: walSegmentSize }
}

/** An idle connection of that age; those that are younger are given back. */
function idleBefore(node: NodeConnections, openedBefore: number): ServerConnection | undefined {
  const younger: ServerConnection[] = []
  let connection = node.acquireIdle()
  while (connection !== undefined && connection.number >= openedBefore) {
    younger.push(connection)
    connection = node.acquireIdle()
  }
  for (const each of younger) each.release()
  return connection
}

function awaitingBefore(node: NodeConnections, openedBefore: number): ServerConnection | undefined {
  for (const connection of node.connections) {
    if (connection.awaitsCapture && connection.number < openedBefore && !connection.isBroken) return connection
  }
  return undefined
}
