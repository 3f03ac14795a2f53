import type { RouteReason } from '../routing/route.js'
import type { Topology } from '../routing/topology/topology.js'
import type { Counters } from './calls/counters.js'
import type { NodeConnections } from './connections/node-connections.js'

/** What a pool has done since it was made. Everything is counted; times are milliseconds. */
export type PoolStatistics = {
  /** Statements that were sent to a server, or are on their way; each has one reason and one node, those of its last try. */
  readonly statements: number
  /** How many statements went where they went for which reason; they sum to `statements`. */
  readonly byReason: Readonly<Partial<Record<RouteReason, number>>>
  readonly nodes: readonly NodeStatistics[]
  readonly observed: {
    /** Reads whose replica was asked for its position first. */
    readonly asked: number
    /** Of those, how many found it behind what they had to see. */
    readonly refused: number
  }
  readonly parked: {
    readonly now: number
    readonly total: number
    /** Of those, how many gave up: the replica did not get there in time. */
    readonly expired: number
    /** The sum of all waits. */
    readonly waitedMs: number
  }
  /** Reads that were sent again elsewhere after an error. */
  readonly retries: number
  /** Reads that shared a connection and were asked again alone: what stood before them took long, or they were prepared there no more. */
  readonly askedAlone: number
  /** Reads that could have been on a replica and were answered by the primary. */
  readonly fallbacks: number
}

export type NodeStatistics = {
  readonly address: string
  readonly role: string
  /** Why it is not used, when it is not. */
  readonly ejected: string | undefined
  readonly statements: number
  /** Statements and clients that have a connection of this node or wait for one. */
  readonly inFlight: number
  readonly totalCount: number
  readonly idleCount: number
  readonly waitingCount: number
  readonly lagMs: number | undefined
  readonly lagBytes: number | undefined
}

/** The counters and what is known of the servers, as one value. */
export function poolStatistics({
  counters,
  nodes,
  watch,
  parkedNow,
}: {
  readonly counters: Counters
  readonly nodes: ReadonlyMap<string, NodeConnections>
  readonly watch: { readonly topology: Topology }
  readonly parkedNow: number
}): PoolStatistics {
  return {
    statements: counters.statements,
    byReason: { ...counters.byReason },
    nodes: [...nodes.values()].map((node) => nodeStatistics(node, counters, watch.topology)),
    observed: { asked: counters.observedAsked, refused: counters.observedRefused },
    parked: {
      now: parkedNow,
      total: counters.parkedTotal,
      expired: counters.parkedExpired,
      waitedMs: counters.parkedMs,
    },
    retries: counters.retries,
    askedAlone: counters.askedAlone,
    fallbacks: counters.fallbacks,
  }
}

function nodeStatistics(
  { address, pool, inFlight }: NodeConnections,
  counters: Counters,
  topology: Topology,
): NodeStatistics {
  const view = topology.nodes.get(address)
  const { totalCount, idleCount, waitingCount } = pool
  return {
    address,
    role: view?.role ?? 'unknown',
    ejected: view?.ejected?.reason,
    statements: counters.byNode.get(address) ?? 0,
    inFlight,
    totalCount,
    idleCount,
    waitingCount,
    lagMs: view?.lagMs,
    lagBytes: view?.lagBytes,
  }
}
