import type { Position } from './position.js'
import type { Scope } from './scope.js'
import type { Write } from './write.js'

/** Commits whose position was read at the insert position, and is not yet seen to be flushed (W5). */
export type ProvisionalGroup = {
  position: Position
  /** The number of the capture that read it: what a connection saw that was opened later proves nothing about it. */
  readonly captured: number
  readonly scopes: Set<Scope>
  readonly writes: Write[]
}
