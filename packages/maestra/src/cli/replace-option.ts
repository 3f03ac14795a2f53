import type { PlanRequest } from '../plan/plan.js'

/** For the commands that plan; given once for each standby. */
export const replaceOption = [
  '--replace <node>',
  'make a standby anew, with its data kept aside; can be given more than once',
  (name: string, before: readonly string[] = []): string[] => [...before, name],
] as const

export function requestOf({ replace }: { readonly replace?: readonly string[] }): PlanRequest {
  return replace === undefined ? {} : { replace }
}
