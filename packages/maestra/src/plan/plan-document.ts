import type { HeldSettings } from '../cluster/node-configuration.js'
import { outcomeOf, type Plan, type PlanOutcome } from './plan.js'
import type { Step } from './step.js'
import { shownValue, withoutSecrets } from './without-secrets.js'

/** A plan as `maestra plan --json` prints it: one document, described in docs/plan-and-apply.md. */
export type PlanDocument = Omit<Plan, 'request'> & {
  readonly outcome: PlanOutcome
  /** What `--replace` named, where it did. */
  readonly replace?: readonly string[]
}

/** The keys in the order in which they are printed; no text in it holds a secret. */
export function planDocument(plan: Plan): PlanDocument {
  const { cluster, steps, refusals, unknowns, findings, fingerprint } = plan
  const { replace = [] } = plan.request ?? {}
  const asked = replace.length === 0 ? {} : { replace }
  const document = { cluster, outcome: outcomeOf(plan), ...asked, steps, refusals, unknowns, findings, fingerprint }
  return { ...withoutSecretsIn(document), steps: steps.map(shownStep) }
}

function shownStep(step: Step): Step {
  const shown = withoutSecretsIn(step)
  if (shown.kind !== 'write-configuration' && shown.kind !== 'copy-primary') return shown
  return shown.held === undefined ? shown : { ...shown, held: shownSettings(shown.held) }
}

function shownSettings(settings: HeldSettings): HeldSettings {
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [name, value === null ? null : shownValue(name, value)]),
  )
}

function withoutSecretsIn<T>(value: T): T {
  return JSON.parse(
    JSON.stringify(value, (_key, each: unknown) => (typeof each === 'string' ? withoutSecrets(each) : each)),
  ) as T
}
