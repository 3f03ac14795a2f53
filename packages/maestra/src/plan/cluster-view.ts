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
}
