import { createHash } from 'node:crypto'
import type { Step } from './step.js'

/**
 * Equal for steps that do the same. The reasons are left out: they tell positions and states of the moment, which may
 * be others when the plan is made again before it is carried out.
 */
export function fingerprintOf(steps: readonly Step[]): string {
  const deeds = steps.map(({ why: _why, ...deed }) => Object.entries(deed).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  return createHash('sha256').update(JSON.stringify(deeds)).digest('hex').slice(0, 16)
}
