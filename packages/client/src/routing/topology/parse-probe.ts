import { MaestraError } from '../../base/error.js'
import { type Lsn, parseLsn } from '../../postgres/lsn.js'
import { parseTimeline, type TimelineId, timelineOf, timelineOfWalFileName } from '../../postgres/timeline.js'
import type { Progress, ServerState } from './server-state.js'

/** A row of texts, as a driver gives it. */
export type Row = Readonly<Record<string, unknown>>

/** Sources of pg_settings that say nothing of the server. */
const ofTheRole = ['user', 'database user', 'client', 'session']

/** Reads the row of probeQuery. Throws bad-value for what is no such row. */
export function parseProbe(row: Row): ServerState {
  return {
    systemIdentifier: text(row, 'system_identifier'),
    startedAt: text(row, 'started_at'),
    backendPid: number(row, 'backend_pid'),
    readOnly: optional(row, 'read_only_by', (by) => !ofTheRole.includes(by)) ?? text(row, 'in_recovery') === 'true',
    versionNumber: number(row, 'version_number'),
    walBlockSize: number(row, 'wal_block_size'),
    walSegmentSize: number(row, 'wal_segment_size'),
    checkpointTimeline: timelineOf(number(row, 'checkpoint_timeline')),
    // 0 where the server never was in recovery since its data was made.
    passedTimeline: timelineOf(Math.max(number(row, 'checkpoint_timeline'), number(row, 'recovery_timeline'))),
    progress: parseProgress(row),
  }
}

/** Reads how far a server has come from the row of probeQuery, or of positionQuery. Throws bad-value. */
export function parseProgress(row: Row): Progress {
  const inRecovery = text(row, 'in_recovery')
  if (inRecovery !== 'true') {
    return {
      inRecovery: false,
      inserted: parseLsn(text(row, 'inserted')),
      flushed: parseLsn(text(row, 'flushed')),
      timeline: optional(row, 'wal_file', timelineOfWalFileName),
      lastReplayed: lsn(row, 'replayed'),
    }
  }
  return {
    inRecovery: true,
    replayed: lsn(row, 'replayed'),
    received: lsn(row, 'received'),
    receivedTimeline: optional(row, 'received_timeline', receivedTimeline),
    receiverSeen: optional(row, 'receiver_seen', (seen) => seen === 'true'),
    replayedCommitAgeMs: optional(row, 'replayed_commit_ms', (at) => number(row, 'server_clock_ms') - Number(at)),
  }
}

/** 0/0 is what PostgreSQL keeps where there is no position: nobody has reached anything there. */
function lsn(row: Row, column: string): Lsn | undefined {
  const parsed = optional(row, column, parseLsn)
  return parsed === 0n ? undefined : parsed
}

/** 0 before the first byte was received. */
function receivedTimeline(timeline: string): TimelineId | undefined {
  return timeline === '0' ? undefined : parseTimeline(timeline)
}

function optional<T>(row: Row, column: string, parse: (text: string) => T): T | undefined {
  const value = row[column]
  return value === null || value === undefined ? undefined : parse(String(value))
}

function number(row: Row, column: string): number {
  const value = Number(text(row, column))
  if (Number.isFinite(value)) return value
  throw new MaestraError('bad-value', `column ${column} of a probe is ${JSON.stringify(row[column])}, not a number`)
}

function text(row: Row, column: string): string {
  const value = row[column]
  if (typeof value === 'string') return value
  throw new MaestraError('bad-value', `column ${column} of a probe is ${JSON.stringify(value)}, not a text`)
}
