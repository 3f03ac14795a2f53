import { outcomeOf, type Plan, type PlanOutcome } from './plan.js'

/** A plan as `maestra plan --json` prints it: one document, described in docs/plan-and-apply.md. */
export type PlanDocument = Plan & { readonly outcome: PlanOutcome }

/** The keys in the order in which they are printed. */
export function planDocument(plan: Plan): PlanDocument {
  const { cluster, steps, refusals, unknowns, findings, fingerprint } = plan
  return { cluster, outcome: outcomeOf(plan), steps, refusals, unknowns, findings, fingerprint }
}
