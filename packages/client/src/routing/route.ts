import type { Floor } from './consistency/floor.js'
import type { SessionState } from './session-state.js'
import type { Statement, StatementReason } from './statement/statement.js'
import type { Satisfaction } from './topology/satisfies.js'
import type { NodeView, Topology } from './topology/topology.js'

/** What a decision rests on beside statement, session, topology and floor: the pool's options and what it measures. */
export type Conditions = {
  /** Nodes that this statement was on already, or that it must not be on. */
  readonly excluded: ReadonlySet<string>
  /** Statements that are on a node or wait for a connection of it. */
  readonly inFlight: (address: string) => number
  readonly satisfies: (node: NodeView, floor: Floor) => Satisfaction
  /** Milliseconds until a node should have what the floor asks for, or what is written now where that is pending; 0 when it should have it by now. */
  readonly expectedWaitMs: (address: string, floor: Floor) => number
  /** Milliseconds that this read may still wait for a replica. */
  readonly budgetMs: number
  /** Replicas that are later than this are not used. Milliseconds. */
  readonly maxLagMs: number
  /** Whether reads go on while no primary answers (rule T4). */
  readonly whenPrimaryAway: 'serve' | 'wait'
  /** Where this scope's reads were before, when they are to stay on one node. */
  readonly sticky: string | undefined
}

/** Why a statement went where it went. */
export type RouteReason = StatementReason | ConditionReason

export type ConditionReason =
  | 'pinned'
  | 'submittable'
  | 'single-server'
  | 'no-replica'
  | 'pooler-in-between'
  | 'replicas-behind'
  | 'history-unknown'
  | 'writes-uncertain'
  | 'replica-has-it'
  | 'replica-observed'
  | 'replica-waited-for'
  | 'refused-by-replica'
  | 'primary-away'
  | 'capture-awaited'
  | 'primary-awaited'

/** Where a statement goes next, or what it waits for. */
export type Route =
  | { readonly kind: 'primary'; readonly reason: RouteReason }
  /** `known`: the node satisfies the floor. `observed`: its position is asked on the connection that reads. */
  | {
      readonly kind: 'replica'
      readonly address: string
      readonly check: 'known' | 'observed'
      readonly reason: RouteReason
    }
  /** Until this node has replayed what the floor asks for. */
  | { readonly kind: 'parked'; readonly address: string; readonly reason: RouteReason }
  | { readonly kind: 'wait'; readonly awaited: 'capture' | 'primary' }

/** The one decision: the node for a statement and the reason, in the order of rule R1. Pure; asked again whenever a wait has ended. */
export function route(
  statement: Statement,
  session: SessionState,
  topology: Topology,
  floor: Floor,
  conditions: Conditions,
): Route {
  if (session.kind === 'pinned') return { kind: 'primary', reason: 'pinned' }
  if (statement.kind !== 'read') return { kind: 'primary', reason: statement.reason }
  if (topology.nodes.size === 1) return { kind: 'primary', reason: 'single-server' }
  // Rule R4: through it nobody can tell where a commit stands.
  if (topology.primary?.pooler) return { kind: 'primary', reason: 'pooler-in-between' }
  const isAway = topology.primary === undefined
  if (isAway && conditions.whenPrimaryAway === 'wait') return { kind: 'wait', awaited: 'primary' }
  return routeRead(topology, floor, conditions)
}

function routeRead(topology: Topology, floor: Floor, conditions: Conditions): Route {
  if (floor.kind === 'pending') return routePending(topology, floor, conditions)
  const best = bestReplica(topology, floor, conditions)
  if (best === undefined || best.satisfaction === 'no' || best.satisfaction === 'unknown') {
    return instead(topology, best === undefined ? 'no-replica' : 'history-unknown', floor)
  }
  const { address } = best.node
  if (best.satisfaction === 'yes') {
    return { kind: 'replica', address, check: 'known', reason: topology.primary ? 'replica-has-it' : 'primary-away' }
  }
  if (floor.kind === 'uncertain') return instead(topology, 'writes-uncertain', floor)
  if (best.waitMs === 0) return { kind: 'replica', address, check: 'observed', reason: 'replica-observed' }
  if (best.waitMs <= conditions.budgetMs) return { kind: 'parked', address, reason: 'replica-waited-for' }
  return instead(topology, 'replicas-behind', floor)
}

/** Where the write stands is worth a wait only while a replica may have it in time: else the primary answers at once. */
function routePending(topology: Topology, floor: Floor, conditions: Conditions): Route {
  let isLate = false
  for (const node of topology.nodes.values()) {
    if (!isUsable(node, conditions)) continue
    isLate = conditions.expectedWaitMs(node.address, floor) > conditions.budgetMs
    if (!isLate) break
  }
  if (!isLate || topology.primary === undefined) return { kind: 'wait', awaited: 'capture' }
  return { kind: 'primary', reason: 'replicas-behind' }
}

/** The primary; while there is none, the wait for it. */
function instead(topology: Topology, reason: RouteReason, floor: Floor): Route {
  if (topology.primary === undefined) return { kind: 'wait', awaited: 'primary' }
  return { kind: 'primary', reason: floor.kind === 'uncertain' ? 'writes-uncertain' : reason }
}

type Candidate = {
  readonly node: NodeView
  readonly satisfaction: Satisfaction
  readonly waitMs: number
  readonly inFlight: number
}

const rank: Readonly<Record<Satisfaction, number>> = { yes: 0, 'not-yet': 1, unknown: 2, no: 3 }

function bestReplica(topology: Topology, floor: Floor, conditions: Conditions): Candidate | undefined {
  let best: Candidate | undefined
  for (const node of topology.nodes.values()) {
    if (!isUsable(node, conditions)) continue
    const satisfaction = conditions.satisfies(node, floor)
    const waitMs = satisfaction === 'not-yet' ? conditions.expectedWaitMs(node.address, floor) : 0
    const candidate = { node, satisfaction, waitMs, inFlight: conditions.inFlight(node.address) }
    if (best === undefined || isBetter(candidate, best, conditions.sticky)) best = candidate
  }
  return best
}

function isUsable(node: NodeView, { excluded, maxLagMs }: Conditions): boolean {
  return (
    node.role === 'replica' &&
    node.ejected === undefined &&
    !node.pooler &&
    (node.lagMs ?? 0) <= maxLagMs &&
    !excluded.has(node.address)
  )
}

/** What satisfies first; of those the one that the scope was on, the one that is there sooner, the one with the least to do. */
function isBetter(one: Candidate, other: Candidate, sticky: string | undefined): boolean {
  if (one.satisfaction !== other.satisfaction) return rank[one.satisfaction] < rank[other.satisfaction]
  if (sticky !== undefined && (one.node.address === sticky) !== (other.node.address === sticky)) {
    return one.node.address === sticky
  }
  if (one.waitMs !== other.waitMs) return one.waitMs < other.waitMs
  return one.inFlight < other.inFlight
}
