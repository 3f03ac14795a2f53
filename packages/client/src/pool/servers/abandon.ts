import type { Topology } from '../../routing/topology/topology.js'
import type { TopologyEvent } from '../../routing/topology/topology-event.js'
import type { NodeConnections } from '../connections/node-connections.js'

/** Statements on a server that will not answer, or that is not to be asked any more, do not wait for its answer. */
export function abandonAfter(
  event: TopologyEvent,
  topology: Topology,
  nodeOf: (address: string) => NodeConnections | undefined,
): void {
  switch (event.kind) {
    case 'node-ejected':
      if (!mayBePrimary(event.address, topology)) nodeOf(event.address)?.abandon(event.reason)
      break
    case 'primary-changed':
      if (event.from !== undefined && event.from !== event.to) {
        nodeOf(event.from)?.abandon(`the primary is ${event.to} now`)
      }
      break
    case 'wrong-system':
    case 'former-primary':
      nodeOf(event.address)?.abandon('it is not of this cluster any more')
      break
    default:
  }
}

/** The same of a primary that hangs, for a pool that ends: reads may be asked elsewhere, all else waits for its answer. */
export function abandonHungReads({ nodes }: Topology, nodeOf: (address: string) => NodeConnections | undefined): void {
  for (const { address, ejected } of nodes.values())
    if (ejected?.reason === 'hung') nodeOf(address)?.abandonReads('hung')
}

/** A primary that is away may be back, and its writes with it. */
function mayBePrimary(address: string, { primary, primaryState, memory }: Topology): boolean {
  return address === (primaryState === 'known' ? primary?.address : memory.primary?.address)
}
