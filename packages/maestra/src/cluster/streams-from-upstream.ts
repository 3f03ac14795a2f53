import { addressOf, type DeclaredCluster, type DeclaredNode, upstreamOf } from './declared-cluster.js'
import type { NodeObservation } from './observation.js'

/** Whether a standby receives WAL from the node that it is declared to follow, through whichever slot. */
export function streamsFromUpstream(
  cluster: DeclaredCluster,
  node: DeclaredNode,
  { server }: Pick<NodeObservation, 'server'>,
): boolean {
  const upstream = upstreamOf(cluster, node)
  if (upstream === undefined || server.kind !== 'up') return false
  const { host, port } = addressOf(upstream, node)
  const receiver = server.walReceiver
  return receiver?.status === 'streaming' && receiver.host === host && receiver.port === port
}
