import type { Scope } from './scope.js'
import type { Write } from './write.js'

/** Writes of which no position is known any more. It ends with an LSN read on the known primary, sent after `after`. */
export type Doubt = {
  readonly scopes: Set<Scope>
  readonly writes: readonly Write[]
  /** Infinity while the backend that may still commit is not known to be gone (W6), or its server may yet be the primary. */
  after: number
  /** The write whose backend that is. */
  readonly unanswered: Write | undefined
  /** A position is on a history that was abandoned (T7). */
  readonly lost: boolean
}
