import { canonicalHash } from './canonical-hash.js'
import { deedOf } from './fingerprint.js'
import { outcomeOf, type Plan } from './plan.js'
import type { Step } from './step.js'
import { stepDetails, stepTitle } from './step-title.js'

/**
 * What is another one in a plan that was made again, in words that follow "the cluster changed after the plan was made:";
 * undefined when it is the same plan. What a step that is gone would have changed is in the plan of before.
 */
export function changedSince(before: Plan, now: Plan): string | undefined {
  if (before.fingerprint === now.fingerprint && outcomeOf(before) === outcomeOf(now)) return undefined
  const against = [...now.refusals, ...now.unknowns].map((refusal) => refusal.message)
  if (against.length > 0) return `now ${outcomeOf(now) === 'refused' ? 'refused' : 'unknown'}: ${against.join('; ')}`
  const added = without(now.steps, before.steps).map(described)
  const gone = without(before.steps, now.steps).map(stepTitle)
  const parts = [
    ...(added.length === 0 ? [] : [`steps that are new: ${added.join('; ')}`]),
    ...(gone.length === 0 ? [] : [`steps that are gone: ${gone.join('; ')}`]),
  ]
  if (parts.length > 0) return parts.join('; ')
  const inOrder = now.steps.every((step, index) => keyOf(step) === keyOf(before.steps[index]))
  return inOrder ? 'a data directory holds another system now' : 'the same steps in another order'
}

/** Of the first list what the second one lacks, each step as often as it is there more often. */
function without(steps: readonly Step[], others: readonly Step[]): readonly Step[] {
  const left = others.map(keyOf)
  return steps.filter((step) => {
    const index = left.indexOf(keyOf(step))
    if (index >= 0) left.splice(index, 1)
    return index < 0
  })
}

function keyOf(step: Step | undefined): string {
  return step === undefined ? '' : canonicalHash(deedOf(step))
}

function described(step: Step): string {
  const details = stepDetails(step)
  return details.length === 0 ? stepTitle(step) : `${stepTitle(step)} (${details.join(', ')})`
}
