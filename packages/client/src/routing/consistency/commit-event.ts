import type { Position } from './position.js'
import type { Scope } from './scope.js'
import type { Write } from './write.js'

export type CommitEvent =
  | {
      /** Whether these writes are in what the primary has cannot be said any more (W3, W5, W6, T2). */
      readonly kind: 'writes-uncertain'
      readonly reason: UncertainReason
      /** Empty where the writes are those of a token that came from outside. */
      readonly writes: readonly Write[]
      readonly scopes: ReadonlySet<Scope>
    }
  | {
      /** What was written up to this position on a history that was abandoned may be gone (T7). */
      readonly kind: 'writes-lost'
      readonly position: Position
      readonly writes: readonly Write[]
      readonly scopes: ReadonlySet<Scope>
    }

export type UncertainReason =
  /** No connection is left that was open when they were sent, so nothing tells a crash in between. */
  | 'connections-lost'
  /** They were acknowledged by a server that is not the known primary, or the primary changed before their LSN was read. */
  | 'primary-changed'
  /** The answer never came. */
  | 'outcome-unknown'
  /** Where the new primary left the timeline of their position is not known. */
  | 'history-unknown'
