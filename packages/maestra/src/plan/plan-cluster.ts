import type { DeclaredCluster } from '../cluster/declared-cluster.js'
import type { Finding } from '../cluster/finding.js'
import type { Observation } from '../cluster/observation.js'
import type { View } from '../doctor/rule.js'
import { runRules } from '../doctor/run-rules.js'
import { archiverFindings } from './archiver-findings.js'
import { type ClusterView, upstreamsOf, viewCluster } from './cluster-view.js'
import { copyFindings } from './copy-findings.js'
import { type Draft, join, refused, restarts, stops } from './draft.js'
import { fingerprintOf, systemsOf } from './fingerprint.js'
import { lateFindings } from './late-findings.js'
import type { Plan, PlanRequest, Refusal } from './plan.js'
import { planArchive } from './plan-archive.js'
import { planPasswords } from './plan-passwords.js'
import { planPrimary } from './plan-primary.js'
import { planStandbys } from './plan-standbys.js'
import { awaitAgain } from './plan-streaming.js'
import { settingFindings } from './setting-findings.js'
import { slotFindings } from './slot-findings.js'
import type { Step } from './step.js'

/**
 * What has to be done so that the observed cluster becomes the declared one: passwords and archive first, then the primary, then
 * each standby behind its upstream; in the end, in the same order, what has to wait for all of that. What stands in the way of
 * one node withholds the steps of all, and every node says what stands in its way. The rules are asked first; `locate` gives their findings a line of the cluster file. Pure:
 * equal input gives an equal plan.
 */
export function planCluster(
  cluster: DeclaredCluster,
  observation: Observation,
  locate?: View['locate'],
  request: PlanRequest = {},
): Plan {
  const view = viewCluster(cluster, observation, request)
  const seen = [
    ...runRules({ declared: cluster, locate }),
    ...slotFindings(view),
    ...archiverFindings(view),
    ...lateFindings(view),
    ...settingFindings(view),
  ]
  const primary = planPrimary(view)
  const standbys = planStandbys(view)
  const draft = join([
    refuseFindings(cluster, seen),
    checkRequest(view),
    planPasswords(view),
    planArchive(view),
    primary.first,
    ...inChains(
      view,
      standbys.map(({ first }) => first),
    ),
    primary.last,
    ...inChains(
      view,
      standbys.map(({ last }) => last),
    ),
  ])
  const planned = stops(draft) ? [] : withoutRepeatedWaits(draft.steps)
  return {
    cluster: cluster.name,
    request,
    steps: planned,
    refusals: withoutRepeats(draft.refusals),
    unknowns: withoutRepeats(draft.unknowns),
    findings: [...seen, ...copyFindings(view, draft.steps, locate)],
    fingerprint: fingerprintOf(planned, systemsOf(observation)),
  }
}

/** A restart of a standby is over when those that receive their WAL through it stream again. */
function inChains(view: ClusterView, drafts: readonly Draft[]): readonly Draft[] {
  const restarted = view.standbys.filter((_, index) => restarts(drafts[index] ?? join([])))
  return drafts.map((draft, index) => {
    const standby = view.standbys[index]
    if (standby === undefined || draft.steps.some((step) => step.kind === 'await-streaming')) return draft
    const isBehind = upstreamsOf(view, standby).some((upstream) => restarted.includes(upstream))
    return isBehind ? join([draft, awaitAgain(view, standby)]) : draft
  })
}

/** Behind a wait for a standby only what is done to some node gives it something to wait for again. */
function withoutRepeatedWaits(planned: readonly Step[]): readonly Step[] {
  return planned.filter((step, index) => {
    if (step.kind !== 'await-streaming') return true
    const since = planned.slice(0, index).findLastIndex((each) => each.kind !== 'await-streaming')
    return !planned.slice(since + 1, index).some((each) => each.kind === step.kind && each.node === step.node)
  })
}

/** Several standbys of a chain may say the same of the node that they follow. */
function withoutRepeats(refusals: readonly Refusal[]): readonly Refusal[] {
  return [...new Map(refusals.map((each) => [`${each.message}\n${each.hint}`, each])).values()]
}

/** Only standbys are made anew. */
function checkRequest({ cluster, primary, standbys, replace }: ClusterView): Draft {
  const names = standbys.map(({ declared }) => declared.name)
  return join(
    replace
      .filter((name) => !names.includes(name))
      .map((name) =>
        name === primary.declared.name
          ? refused(name, 'it is declared as the primary, and only standbys are made anew', 'its data are not touched')
          : refused(
              name,
              `cluster ${cluster.name} has no node of that name, so it is not made anew`,
              `it has ${[primary.declared.name, ...names].join(', ')}`,
            ),
      ),
  )
}

/** A cluster that breaks a rule is not worked on, whoever asks. */
function refuseFindings(cluster: DeclaredCluster, findings: readonly Finding[]): Draft {
  const errors = findings.filter((finding) => finding.severity === 'error')
  return join(errors.map(({ message, hint }) => refused(cluster.name, message, hint)))
}
