import type { Plan } from '../../plan/plan.js'
import { outcomeOf } from '../../plan/plan.js'
import type { Step } from '../../plan/step.js'
import { stepDetails, stepTitle } from '../../plan/step-title.js'
import type { Terminal } from '../terminal.js'
import { findingsView } from './finding-view.js'

/** The steps in their order with the reason of each, or why there are none. */
export function planView(plan: Plan, to: Terminal): string {
  return findingsView(plan.findings, to) + body(plan, to)
}

function body(plan: Plan, to: Terminal): string {
  switch (outcomeOf(plan)) {
    case 'nothing':
      return `cluster ${plan.cluster}: nothing to do\n`
    case 'refused':
    case 'incomplete':
      return refusals(plan, to)
    case 'changes':
      return `cluster ${plan.cluster}: ${counted(plan.steps.length, 'step')}\n\n${stepList(plan.steps, to)}`
  }
}

function refusals(plan: Plan, to: Terminal): string {
  const all = [
    ...plan.refusals.map((each) => ({ ...each, label: 'refused' })),
    ...plan.unknowns.map((each) => ({ ...each, label: 'unknown' })),
  ]
  const lines = all.map(
    ({ label, message, hint }) =>
      `  ${to.colour('red', label)}  ${message}\n${hint === undefined ? '' : `  ${to.colour('cyan', 'Try:')} ${hint}\n`}`,
  )
  return `cluster ${plan.cluster}: nothing is changed\n\n${lines.join('')}`
}

function stepList(steps: readonly Step[], to: Terminal): string {
  return steps
    .map((step, index) => {
      const marks = `${step.disruptive ? ' [interrupts connections]' : ''}${step.destructive ? ' [replaces data]' : ''}`
      const details = stepDetails(step).map((line) => `        ${to.colour('dim', line)}\n`)
      const why = `${step.why}${details.length === 0 ? '' : ':'}`
      return `  ${String(index + 1).padStart(2)}. ${stepTitle(step)}${to.colour('yellow', marks)}\n      ${to.colour('dim', why)}\n${details.join('')}`
    })
    .join('')
}

export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
