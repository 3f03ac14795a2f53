import { createHash } from 'node:crypto'
import { type DeclaredCluster, primaryOf, standbysOf } from '../cluster/declared-cluster.js'
import type { Finding } from '../cluster/finding.js'
import type { NodeObservation, Observation } from '../cluster/observation.js'
import { type Draft, harmless, join, nothing, steps } from './draft.js'
import type { Plan } from './plan.js'
import { planPrimary } from './plan-primary.js'
import { planStandby } from './plan-standby.js'
import type { Step } from './step.js'

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
 * each standby in the order of the file. Pure: equal input gives an equal plan.
 */
export function planCluster(cluster: DeclaredCluster, observation: Observation, findings: readonly Finding[]): Plan {
  const view = viewOf(cluster, observation)
  const draft = join([
    planPasswords(view),
    planPrimary(view),
    ...view.standbys.map((standby) => planStandby(view, standby)),
  ])
  const blocked = draft.refusals.length > 0 || draft.unknowns.length > 0
  const planned = blocked ? [] : draft.steps
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

function planPasswords(view: ClusterView): Draft {
  const { superuser, replication } = view.passwords
  const needsReplication = view.cluster.replication.authentication !== 'trust'
  if (superuser !== undefined && (replication !== undefined || !needsReplication)) return nothing
  return steps({
    kind: 'write-passfile',
    why: `${view.cluster.passfile} does not hold the passwords of this cluster`,
    ...harmless,
  })
}

function fingerprintOf(planned: readonly Step[]): string {
  return createHash('sha256').update(JSON.stringify(planned)).digest('hex').slice(0, 16)
}
