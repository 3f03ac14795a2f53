import type { Lsn } from '../../postgres/lsn.js'
import type { TimelineId } from '../../postgres/timeline.js'
import type { Incarnation } from './incarnation.js'

/** What one look at one server saw. */
export type ServerState = Incarnation & {
  /** pg_backend_pid(): differs from that of BackendKeyData where a pooler stands in between. */
  readonly backendPid: number
  /** In recovery, or a primary that by its configuration takes no writes: a manager does not let anybody write to it yet. */
  readonly readOnly: boolean
  /** server_version_num, such as 180004. */
  readonly versionNumber: number
  /** Bytes of a WAL page and of a WAL segment. */
  readonly walBlockSize: number
  readonly walSegmentSize: number
  /** Of its last checkpoint or restart point. A recovery from a crash ends with one, a promotion does not. */
  readonly checkpointTimeline: TimelineId
  /**
   * A timeline that this server's history certainly has in it: that of its last restart point, or of the last page that it
   * wrote while in recovery. It may be on a later one.
   */
  readonly passedTimeline: TimelineId
  readonly progress: Progress
}

export type Progress = PrimaryProgress | StandbyProgress

export type PrimaryProgress = {
  readonly inRecovery: false
  readonly inserted: Lsn
  /** Looked at after `inserted`. */
  readonly flushed: Lsn
  /** Undefined in an answer to positionQuery. */
  readonly timeline: TimelineId | undefined
  /**
   * pg_last_wal_replay_lsn(). Of a server that was promoted, where it left the timeline before, and of one that recovered from
   * a crash since, only where that recovery ended: also after the crash of a backend, which keeps the start time.
   */
  readonly lastReplayed: Lsn | undefined
}

export type StandbyProgress = {
  readonly inRecovery: true
  /** Undefined before anything was replayed. */
  readonly replayed: Lsn | undefined
  /** Written to its disk by its WAL receiver, looked at after `replayed`; undefined while it never streamed. */
  readonly received: Lsn | undefined
  /** Of what its WAL receiver writes, looked at after `replayed`: undefined where there is none, or the role does not see it. */
  readonly receivedTimeline: TimelineId | undefined
  /** Whether the role may see it (pg_monitor). Undefined in an answer to positionQuery. */
  readonly receiverSeen: boolean | undefined
  /** How long ago, by the server's clock, the last replayed commit was made, by the primary's. In ms. */
  readonly replayedCommitAgeMs: number | undefined
}
