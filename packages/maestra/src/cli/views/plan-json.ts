import type { Plan } from '../../plan/plan.js'
import { planDocument } from '../../plan/plan-document.js'

/**
 * The plan as `maestra plan --json` prints it: one document, described in docs/plan-and-apply.md.
 *
 *     {
 *       cluster,                                  name of the cluster
 *       outcome: "nothing" | "changes" | "refused" | "incomplete",
 *       steps: [{ kind, node?, ..., why, disruptive, destructive }],   in their order; empty unless outcome is "changes"
 *       refusals: [{ node, message, hint? }],     states that Maestra does not change
 *       unknowns: [{ node, message, hint? }],     what would have to be known
 *       findings: [{ rule, severity, message, hint?, place?: { file, line, column, text } }],
 *       fingerprint                               equal for steps that do the same to the same systems
 *     }
 */
export function planJson(plan: Plan): string {
  return `${JSON.stringify(planDocument(plan), null, 2)}\n`
}
