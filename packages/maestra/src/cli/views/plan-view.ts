import type { Plan } from '../../plan/plan.js'
import { outcomeOf } from '../../plan/plan.js'
import type { Step } from '../../plan/step.js'
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
      return `  ${String(index + 1).padStart(2)}. ${stepTitle(step)}${to.colour('yellow', marks)}\n      ${to.colour('dim', step.why)}\n`
    })
    .join('')
}

/** What a step does, in a few words. */
export function stepTitle(step: Step): string {
  switch (step.kind) {
    case 'write-passfile':
      return 'write the passfile with new passwords'
    case 'initialise':
      return `${step.node}: initialise a new primary`
    case 'write-configuration':
      return `${step.node}: write its configuration`
    case 'reload':
      return `${step.node}: reload its configuration`
    case 'start':
      return `${step.node}: start its server`
    case 'create-replication-role':
      return `${step.node}: create the replication role ${step.role}`
    case 'create-slot':
      return `${step.node}: create the replication slot ${step.slot}`
    case 'copy-primary':
      return `${step.node}: copy ${step.from} (base backup)`
    case 'await-streaming':
      return `${step.node}: wait until it streams from ${step.from}`
  }
}

export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
