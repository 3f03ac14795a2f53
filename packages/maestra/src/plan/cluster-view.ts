import type { DeclaredCluster, DeclaredNode } from '../cluster/declared-cluster.js'
import type { NodeObservation, Observation } from '../cluster/observation.js'

/** A declared node beside what it is. */
export type NodeView = { readonly declared: DeclaredNode; readonly observed: NodeObservation }

/** The whole cluster as the planner of one node needs it. */
export type ClusterView = {
  readonly cluster: DeclaredCluster
  readonly primary: NodeView
  readonly standbys: readonly NodeView[]
  readonly passwords: Observation['passwords']
  readonly archive?: Observation['archive']
  readonly copy: Observation['copy']
  /** Names of standbys that are to be made anew, whatever they hold. */
  readonly replace: readonly string[]
}

/** While its include is missing, a server takes each setting that it has from Maestra's file for one that a restart takes away. */
export function asIfIncluded(observed: NodeObservation): NodeObservation {
  const { directory, server } = observed
  if (directory.kind !== 'data' || directory.configuration.included || server.kind !== 'up') return observed
  const pendingRestart = server.pendingRestart.filter((name) => !server.pendingOfMaestra.includes(name))
  return { ...observed, server: { ...server, pendingRestart, pendingOfMaestra: [] } }
}
