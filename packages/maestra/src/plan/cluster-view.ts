import {
  type DeclaredCluster,
  type DeclaredNode,
  followersOf as declaredFollowers,
  upstreamsOf as declaredUpstreams,
  primaryOf,
  standbysInChainOrder,
} from '../cluster/declared-cluster.js'
import type { NodeObservation, Observation } from '../cluster/observation.js'
import { onceForEach } from '../cluster/once-for-each.js'
import type { PlanRequest } from './plan.js'
import { isOfMaestra } from './restart-reasons.js'

/** A declared node beside what it is. */
export type NodeView = { readonly declared: DeclaredNode; readonly observed: NodeObservation }

/** The whole cluster as the planner of one node needs it. */
export type ClusterView = {
  readonly cluster: DeclaredCluster
  readonly primary: NodeView
  /** Each behind its upstream. */
  readonly standbys: readonly NodeView[]
  readonly passwords: Observation['passwords']
  readonly archive?: Observation['archive']
  readonly copy: Observation['copy']
  /** Names of standbys that are to be made anew, whatever they hold. */
  readonly replace: readonly string[]
}

/** While its include is missing, a server takes each setting that it has from Maestra's file for one that a restart takes away. */
function asIfIncluded(observed: NodeObservation): NodeObservation {
  const { directory, server } = observed
  if (directory.kind !== 'data' || directory.configuration.included || server.kind !== 'up') return observed
  const pendingRestart = server.pendingRestart.filter((name) => !isOfMaestra(server, name))
  return { ...observed, server: { ...server, pendingRestart } }
}

/** Each declared node beside what it is. */
export function viewCluster(
  cluster: DeclaredCluster,
  observation: Observation,
  { replace = [] }: PlanRequest = {},
): ClusterView {
  const view = (declared: NodeView['declared']): NodeView => {
    const observed = observation.nodes.find((node) => node.name === declared.name)
    if (observed === undefined) throw new Error(`node ${declared.name} was not observed`)
    return { declared, observed: asIfIncluded(observed) }
  }
  return {
    cluster,
    primary: view(primaryOf(cluster)),
    standbys: standbysInChainOrder(cluster).map(view),
    passwords: observation.passwords,
    archive: observation.archive,
    copy: observation.copy,
    replace,
  }
}

/** The nodes through which the WAL of the primary comes to a standby, its upstream first, the primary last. */
export function upstreamsOf(view: ClusterView, standby: NodeView): readonly NodeView[] {
  return declaredUpstreams(view.cluster, standby.declared).flatMap((upstream) => viewsOf(view).get(upstream) ?? [])
}

/** The node whose WAL a standby receives. */
export function upstreamOf(view: ClusterView, standby: NodeView): NodeView {
  return upstreamsOf(view, standby)[0] ?? view.primary
}

/** The standbys that receive their WAL from a node. */
export function followersOf(view: ClusterView, node: NodeView): readonly NodeView[] {
  return declaredFollowers(view.cluster, node.declared).flatMap((follower) => viewsOf(view).get(follower) ?? [])
}

const viewsOf = onceForEach(
  (view: ClusterView) => new Map([view.primary, ...view.standbys].map((node) => [node.declared, node])),
)
