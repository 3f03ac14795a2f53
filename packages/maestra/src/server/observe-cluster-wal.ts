import { addressOf, type DeclaredCluster, type DeclaredNode, upstreamOf } from '../cluster/declared-cluster.js'
import type { NodeObservation } from '../cluster/observation.js'
import { withinNodeDeadline } from './node-deadline.js'
import { observeWal } from './observe-wal.js'
import type { Site } from './site.js'

/**
 * Looks at the WAL of standbys that do not stream from their primary, and then at that of all others: a standby is never
 * ahead of what its primary has after it.
 */
export async function withWal(
  { host }: Site,
  cluster: DeclaredCluster,
  nodes: readonly NodeObservation[],
): Promise<readonly NodeObservation[]> {
  const away = cluster.nodes.filter((node, index) => isAway(cluster, node, nodes[index]))
  if (away.length === 0) return nodes
  const look = (node: DeclaredNode): Promise<NodeObservation['wal']> => {
    const seen = nodes[cluster.nodes.indexOf(node)]
    return seen?.directory.kind === 'data'
      ? withinNodeDeadline(observeWal(host.files, node.data, seen.server), (because) => ({ kind: 'unknown', because }))
      : Promise.resolve(undefined)
  }
  const ofAway = await Promise.all(away.map(look))
  const ofOthers = await Promise.all(cluster.nodes.map((node) => (away.includes(node) ? undefined : look(node))))
  return nodes.map((seen, index) => {
    const at = away.findIndex((node) => node.name === seen.name)
    return { ...seen, wal: at >= 0 ? ofAway[at] : ofOthers[index] }
  })
}

/** Whether it is a standby with data that does not stream from where it should. */
function isAway(cluster: DeclaredCluster, node: DeclaredNode, seen: NodeObservation | undefined): boolean {
  const upstream = upstreamOf(cluster, node)
  if (upstream === undefined || seen?.directory.kind !== 'data') return false
  const receiver = seen.server.kind === 'up' ? seen.server.walReceiver : undefined
  const { host, port } = addressOf(upstream, node)
  return receiver?.status !== 'streaming' || receiver.host !== host || receiver.port !== port
}
