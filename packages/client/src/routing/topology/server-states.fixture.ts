import { parseLsn } from '../../postgres/lsn.js'
import { timelineOf } from '../../postgres/timeline.js'
import type { ServerState } from './server-state.js'

export const timeline = timelineOf(1)

/** Where both servers are. */
export const lsn = parseLsn('0/5000')

const server = {
  systemIdentifier: '7001',
  backendPid: 1,
  versionNumber: 180004,
  walBlockSize: 8192,
  walSegmentSize: 16_777_216,
  checkpointTimeline: timeline,
  passedTimeline: timeline,
}

export const primary: ServerState = {
  ...server,
  startedAt: '10:00',
  readOnly: false,
  progress: { inRecovery: false, inserted: lsn, flushed: lsn, timeline, lastReplayed: undefined },
}

/** A replica of it, as a role with pg_monitor sees it. */
export const standby: ServerState = {
  ...server,
  startedAt: '10:01',
  readOnly: true,
  progress: {
    inRecovery: true,
    replayed: lsn,
    received: lsn,
    receivedTimeline: timeline,
    receiverSeen: true,
    replayedCommitAgeMs: 0,
  },
}
