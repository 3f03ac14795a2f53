import type { Finding } from '../cluster/finding.js'
import type { Step } from './step.js'

/** What is asked for beyond what the cluster file declares. */
export type PlanRequest = {
  /** Names of standbys whose data are to be moved aside and made anew. */
  readonly replace?: readonly string[]
}

/** What has to be done, or why it is not. These are four different outcomes: nothing, changes, refused, incomplete. */
export type Plan = {
  readonly cluster: string
  /** What was asked for: a plan is made again from the same. */
  readonly request?: PlanRequest
  /** Empty unless the outcome is `changes`. */
  readonly steps: readonly Step[]
  /** States that Maestra does not change. */
  readonly refusals: readonly Refusal[]
  /** What cannot be known right now and would have to be. */
  readonly unknowns: readonly Refusal[]
  /** What the rules found in the cluster file: warnings only, since errors end before a plan. */
  readonly findings: readonly Finding[]
  /** Equal for equal steps on the same systems: what was confirmed is what is run. */
  readonly fingerprint: string
}

export type Refusal = {
  readonly node: string
  readonly message: string
  readonly hint: string | undefined
}

export type PlanOutcome = 'nothing' | 'changes' | 'refused' | 'incomplete'

export function outcomeOf(plan: Plan): PlanOutcome {
  if (plan.refusals.length > 0) return 'refused'
  if (plan.unknowns.length > 0) return 'incomplete'
  return plan.steps.length === 0 ? 'nothing' : 'changes'
}
