import type { Position } from './position.js'
import type { Scope } from './scope.js'

/** What a read has to see, and so where it may go. Frozen when the read is issued: a retry keeps or raises it (R7). */
export type Floor = NoFloor | FloorAt | PendingFloor | UncertainFloor

/** Any server will do. */
export type NoFloor = { readonly kind: 'none' }

/** A server that contains every one of the positions; there is one at least, and hardly ever a second. */
export type FloorAt = {
  readonly kind: 'at'
  readonly positions: readonly Position[]
  /** Not yet seen to be flushed (W5): good enough to read by, not to leave the process. */
  readonly provisional: boolean
}

/**
 * Commits were acknowledged whose LSN has not been read (W3). The read waits, and asks `floorAgain` with this very value
 * whenever a capture came back; or it goes to the primary.
 */
export type PendingFloor = {
  readonly kind: 'pending'
  /** The number of the youngest commit that this read has to see. */
  readonly since: number
  readonly scope: Scope
}

/**
 * No position covers what was written (W3, W5, W6, T7): the primary answers, or the rule of T4 while there is none; a
 * capture on the primary ends it.
 */
export type UncertainFloor = {
  readonly kind: 'uncertain'
  /** What is certain: it has to be contained all the same. */
  readonly positions: readonly Position[]
  /** A position of this scope is on a history that was abandoned (T7), for those who have such reads refused. */
  readonly lost: boolean
}
