import type { Refusal } from './plan.js'
import type { Step } from './step.js'

/** What one look at one node asks for. */
export type Draft = {
  readonly steps: readonly Step[]
  readonly refusals: readonly Refusal[]
  readonly unknowns: readonly Refusal[]
}

export const nothing: Draft = { steps: [], refusals: [], unknowns: [] }

export function steps(...list: readonly Step[]): Draft {
  return { ...nothing, steps: list }
}

export function refused(node: string, message: string, hint?: string): Draft {
  return { ...nothing, refusals: [{ node, message: `${node}: ${message}`, hint }] }
}

export function unknown(node: string, message: string, hint?: string): Draft {
  return { ...nothing, unknowns: [{ node, message: `${node}: ${message}`, hint }] }
}

export function join(drafts: readonly Draft[]): Draft {
  return {
    steps: drafts.flatMap((draft) => draft.steps),
    refusals: drafts.flatMap((draft) => draft.refusals),
    unknowns: drafts.flatMap((draft) => draft.unknowns),
  }
}

/** Whether the draft says that the node may not be worked on. */
export function stops(draft: Draft): boolean {
  return draft.refusals.length > 0 || draft.unknowns.length > 0
}

/** Whether a server is restarted. */
export function restarts(draft: Draft): boolean {
  return draft.steps.some((step) => step.kind === 'restart')
}

/** The wording of a step that changes nothing for applications and replaces no data. */
export const harmless = { disruptive: false, destructive: false } as const

/** That of a step which ends connections of applications. */
export const interrupting = { disruptive: true, destructive: false } as const

/** Two parts of what one node asks for: the second follows when all nodes have done the first. */
export type Phases = { readonly first: Draft; readonly last: Draft }

/** All in the first part. */
export function atOnce(draft: Draft): Phases {
  return { first: draft, last: nothing }
}
