import type { Lsn } from '../../postgres/lsn.js'
import type { TimelineId } from '../../postgres/timeline.js'
import type { WalGeometry } from './position.js'
import type { PrimaryIncarnation } from './primary-incarnation.js'
import type { Write } from './write.js'

/** One read of the log's positions on the primary, on its way. */
export type Capture = {
  /** Its number: it covers what was acknowledged before. */
  readonly sent: number
  /** The number of the connection that carries it. */
  readonly connection: number
  readonly incarnation: PrimaryIncarnation
  /** Writes of that connection whose Sync it stands behind, in the same flight: it covers them, too (W2). */
  readonly behind: readonly Write[]
}

/** What a capture brings back: one row of one SELECT, so that flush was true when insert was. */
export type CaptureReading = WalGeometry & {
  /** `pg_current_wal_insert_lsn()` */
  readonly insert: Lsn
  /** `pg_current_wal_flush_lsn()` */
  readonly flush: Lsn
  /** The first 8 digits of `pg_walfile_name()` of the insert position. */
  readonly timeline: TimelineId
}

/** That a capture is wanted. */
export type CaptureNeed = {
  /**
   * A connection with a lower number covers all that waits; one with a higher number leaves some of it waiting. As long as
   * such a connection lives there is nothing to do but to wait until it is free.
   */
  readonly openedBefore: number
}

/** What came of a capture, or of a flush position that was seen. */
export type Settlement = {
  /** Their LSN is known now, provisional or confirmed. */
  readonly settled: readonly Write[]
  /** Their LSN is known and flushed, so that a token may hold it: some of `settled`, and some that were settled before. */
  readonly confirmed: readonly Write[]
  /** The reading was of no use: the server is not, or no longer, the primary that is known. */
  readonly stale: boolean
}
