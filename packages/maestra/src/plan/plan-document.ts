import { outcomeOf, type Plan, type PlanOutcome } from './plan.js'

/** A plan as `maestra plan --json` prints it: one document, described in docs/plan-and-apply.md. */
export type PlanDocument = Omit<Plan, 'request'> & {
  readonly outcome: PlanOutcome
  /** What `--replace` named, where it did. */
  readonly replace?: readonly string[]
}

/** The keys in the order in which they are printed. */
export function planDocument(plan: Plan): PlanDocument {
  const { cluster, steps, refusals, unknowns, findings, fingerprint } = plan
  const { replace = [] } = plan.request ?? {}
  const asked = replace.length === 0 ? {} : { replace }
  return { cluster, outcome: outcomeOf(plan), ...asked, steps, refusals, unknowns, findings, fingerprint }
}
