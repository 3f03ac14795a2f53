import { addressOf, slotName } from '../cluster/declared-cluster.js'
import type { RunningServer } from '../cluster/observation.js'
import { type ClusterView, type NodeView, upstreamOf } from './cluster-view.js'

/**
 * Words for what a standby does instead of streaming from the node that it is declared to follow through its own slot;
 * undefined when it does that.
 */
export function otherSource(view: ClusterView, standby: NodeView, server: RunningServer): string | undefined {
  const { host, port } = addressOf(upstreamOf(view, standby).declared, standby.declared)
  const slot = slotName(standby.declared.name)
  const receiver = server.walReceiver
  if (receiver === undefined) return 'it runs and does not stream: it has no WAL receiver'
  if (receiver.status !== 'streaming') return `it runs and does not stream: its WAL receiver is ${receiver.status}`
  if (receiver.host !== host || receiver.port !== port) return `it streams from ${receiver.host}:${receiver.port}`
  if (receiver.slot !== slot) return `it streams through ${receiver.slot ?? 'no slot'} instead of the slot ${slot}`
  return undefined
}
