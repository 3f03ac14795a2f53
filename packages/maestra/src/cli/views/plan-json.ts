import { outcomeOf, type Plan } from '../../plan/plan.js'

/** The plan as `maestra plan --json` prints it: one document, described in docs/plan.md. */
export function planJson(plan: Plan): string {
  const { cluster, steps, refusals, unknowns, findings, fingerprint } = plan
  return `${JSON.stringify({ cluster, outcome: outcomeOf(plan), steps, refusals, unknowns, findings, fingerprint }, null, 2)}\n`
}
