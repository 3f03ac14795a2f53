import { type DeclaredCluster, primaryOf, standbysOf } from '../cluster/declared-cluster.js'
import type { Finding } from '../cluster/finding.js'
import type { NodeObservation, Observation } from '../cluster/observation.js'
import { join, stops } from './draft.js'
import { fingerprintOf } from './fingerprint.js'
import type { Plan } from './plan.js'
import { planPasswords } from './plan-passwords.js'
import { planPrimary } from './plan-primary.js'
import { planStandby } from './plan-standby.js'

/** A declared node beside what it is. */
export type NodeView = { readonly observed: NodeObservation } & { readonly declared: DeclaredCluster['nodes'][number] }

/** The whole cluster as the planner of one node needs it. */
export type ClusterView = {
  readonly cluster: DeclaredCluster
  readonly primary: NodeView
  readonly standbys: readonly NodeView[]
  readonly passwords: Observation['passwords']
}

/**
 * What has to be done so that the observed cluster becomes the declared one: the passwords first, then the primary, then
 * each standby in the order of the file. What stands in the way of one node withholds the steps of all, and every node
 * says what stands in its way. Pure: equal input gives an equal plan.
 */
export function planCluster(cluster: DeclaredCluster, observation: Observation, findings: readonly Finding[]): Plan {
  const view = viewOf(cluster, observation)
  const draft = join([
    planPasswords(view),
    planPrimary(view),
    ...view.standbys.map((standby) => planStandby(view, standby)),
  ])
  const planned = stops(draft) ? [] : draft.steps
  return {
    cluster: cluster.name,
    steps: planned,
    refusals: draft.refusals,
    unknowns: draft.unknowns,
    findings,
    fingerprint: fingerprintOf(planned),
  }
}

function viewOf(cluster: DeclaredCluster, observation: Observation): ClusterView {
  const view = (declared: NodeView['declared']): NodeView => {
    const observed = observation.nodes.find((node) => node.name === declared.name)
    if (observed === undefined) throw new Error(`node ${declared.name} was not observed`)
    return { declared, observed }
  }
  return {
    cluster,
    primary: view(primaryOf(cluster)),
    standbys: standbysOf(cluster).map(view),
    passwords: observation.passwords,
  }
}
