import { addressOf, type DeclaredCluster, type DeclaredNode, slotName, upstreamOf } from './declared-cluster.js'
import type { NodeObservation } from './observation.js'

type Seen = Pick<NodeObservation, 'server'>

/**
 * Whether a standby receives WAL from the node that it is declared to follow, through whichever slot. One whose slot is lost
 * shows as streaming for a moment each time that it connects and is turned away.
 */
export function streamsFromUpstream(
  cluster: DeclaredCluster,
  node: DeclaredNode,
  { server }: Seen,
  upstreamSeen: Seen | undefined,
): boolean {
  const upstream = upstreamOf(cluster, node)
  if (upstream === undefined || server.kind !== 'up' || hasLostSlot(node, upstreamSeen)) return false
  const { host, port } = addressOf(upstream, node)
  const receiver = server.walReceiver
  return receiver?.status === 'streaming' && receiver.host === host && receiver.port === port
}

function hasLostSlot({ name }: DeclaredNode, upstream: Seen | undefined): boolean {
  if (upstream?.server.kind !== 'up') return false
  return upstream.server.slots.some((slot) => slot.name === slotName(name) && slot.walStatus === 'lost' && !slot.active)
}
