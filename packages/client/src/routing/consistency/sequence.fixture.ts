import type { Sequence } from './sequence.js'

/** One that begins at 1, whatever else the process has counted. */
export function newSequence(): Sequence {
  let last = 0
  return { next: () => ++last }
}
