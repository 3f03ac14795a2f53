import type { Lsn } from '../../postgres/lsn.js'
import type { TimelineId } from '../../postgres/timeline.js'
import type { Histories } from './histories.js'
import type { LineageId, SeenPosition } from './log-position.js'

/** `host:port`. */
export type Address = string

export type NodeRole =
  | 'primary'
  /** In recovery. Whether it follows the primary's history is asked of satisfies(). */
  | 'replica'
  /** Out of recovery, and not the primary: one that was superseded, or one of two that nobody can choose between. */
  | 'former-primary'
  /** Of another system than the other nodes: never used. */
  | 'wrong-system'
  /** Not seen yet; or out of recovery, and not yet known to be the primary. */
  | 'unknown'

/**
 * - `known`: writes may go to `topology.primary`.
 * - `away`: none answered within primaryFreshMs, or it takes no writes (T4). At the start, once each node was heard.
 * - `unknown`: the start, before that.
 * - `two-primaries`: several are out of recovery, and none of them is certainly the one (T6).
 */
export type PrimaryState = 'known' | 'away' | 'unknown' | 'two-primaries'

/** Why a node gets nothing, and when it is asked again. Times as in `nowMs`. */
export type Ejection = {
  readonly reason: 'failed' | 'hung'
  readonly sinceMs: number
  /** Probes that failed one after the other. */
  readonly failures: number
  readonly retryAtMs: number
}

/** `at` is the number that the look took before it was sent, `before` the one when its answer was there: see nextNumber(). */
export type Replayed = { readonly lsn: SeenPosition; readonly at: number; readonly before: number }
export type Written = {
  readonly inserted: SeenPosition
  readonly flushed: SeenPosition
  readonly at: number
  readonly before: number
}

export type NodeView = {
  readonly address: Address
  readonly role: NodeRole
  /** Whether the last thing heard of it was an answer. */
  readonly answers: boolean
  readonly ejected?: Ejection
  /** With `startedAt` its incarnation, as of the last answer. */
  readonly systemIdentifier?: string
  readonly startedAt?: string
  readonly versionNumber?: number
  readonly walBlockSize?: number
  readonly walSegmentSize?: number
  /** As of the last answer. */
  readonly inRecovery?: boolean
  readonly readOnly: boolean
  /** Of a primary: the one that it writes. Of a replica: the one that it receives, where the role sees it. */
  readonly timeline?: TimelineId
  /** Whether the role sees what a replica receives (pg_monitor). */
  readonly receiverSeen: boolean
  /** A timeline that its history certainly has in it, all roles see that one; it may be on a later one. */
  readonly passedTimeline?: TimelineId
  /** Of a server out of recovery. */
  readonly lineage?: LineageId
  /** Of a server in recovery. Gone when the watching connection breaks. */
  readonly replayed?: Replayed
  /** Of a server in recovery, looked at after `replayed`. */
  readonly received?: SeenPosition
  /** Of a server out of recovery. Gone when the watching connection breaks. */
  readonly written?: Written
  /** Of a replica, behind the primary: positions first, so that an idle primary is no lag. */
  readonly lagBytes?: number
  readonly lagMs?: number
  /** A pooler stands in between: nothing is known of which server answers next (R4), so no positions are kept. */
  readonly pooler: boolean
  /** The number of the watching connection; 0 without one. */
  readonly connection: number
  readonly lastAnswerAtMs?: number
  readonly lastError?: string
  /** Since when it was seen on a later timeline than the primary's. */
  readonly newerSinceMs?: number
  /** It is certainly not on the primary's history. */
  readonly diverged: boolean
}

/** What is known of the servers behind a list of addresses. Immutable: each input makes a new one. */
export type Topology = {
  readonly nodes: ReadonlyMap<Address, NodeView>
  /** Set exactly while `primaryState` is `known`. */
  readonly primary: NodeView | undefined
  readonly primaryState: PrimaryState
  readonly histories: Histories
  readonly options: TopologyOptions
  readonly memory: Memory
}

export type TopologyOptions = {
  /** No primary that has not answered for so long counts as one that answers. Default 1000. */
  readonly primaryFreshMs: number
}

/** What the reducer has to remember; for nobody else. */
export type Memory = {
  /** The system of all nodes: that of the first primary seen. */
  readonly systemIdentifier?: string
  /** The last known primary, also while it is away. */
  readonly primary?: KnownPrimary
  /** Histories that were the primary's and are not to be it again. */
  readonly superseded: readonly LineageId[]
  /** Histories beside the primary's of which an event was given. */
  readonly warned: readonly LineageId[]
  /** Where the primary was and when, the newest last: what the lag in ms is read from. */
  readonly course: readonly CoursePoint[]
}

/** The primary was last seen at this position at that time. */
export type CoursePoint = { readonly inserted: Lsn; readonly untilMs: number }

export type KnownPrimary = {
  readonly address: Address
  readonly incarnation: string
  readonly lineage: LineageId
  readonly timeline: TimelineId
  /** The connection over which it was first seen as the primary. */
  readonly connection: number
}
