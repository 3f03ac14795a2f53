import type { Plan } from '../../plan/plan.js'
import { planDocument } from '../../plan/plan-document.js'

/** The plan as `maestra plan --json` prints it: one document, described in docs/plan-and-apply.md. */
export function planJson(plan: Plan): string {
  return `${JSON.stringify(planDocument(plan), null, 2)}\n`
}
