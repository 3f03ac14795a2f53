import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import { type Lsn, lsnOf, parseLsn } from '@maestra/client/postgres/lsn'
import {
  parseTimelineHistory,
  type TimelineId,
  type TimelineSwitch,
  timelineOf,
  timelineOfWalFileName,
} from '@maestra/client/postgres/timeline'
import { kindOfWalFile, walFileName } from '@maestra/client/postgres/wal-file'
import type pg from 'pg'
import { type Login, withConnection } from './connection.js'

const promoteTimeoutMs = 60_000

/**
 * Promotes a standby: it replays all that it has received, late or paused as it may be, and takes writes when this
 * resolves. One that has been promoted already is left as it is.
 */
export async function promote(standby: Login): Promise<void> {
  await withConnection(standby, async (client) => {
    // The function's own wait looks only ten times a second.
    await client.query('select pg_promote(wait => false) where pg_is_in_recovery()')
    await waitUntil(
      async () =>
        (await isStandby(client)) ? { done: false, seen: 'it is in recovery' } : { done: true, value: undefined },
      { awaited: `${standby.node} to be promoted`, deadline: Deadline.after(promoteTimeoutMs), everyMs: 2 },
    )
  })
}

/** For a moment after its recovery a server is a primary that takes no writes. */
async function isStandby(client: pg.Client): Promise<boolean> {
  const result = await client.query<{ standby: boolean }>(
    `select pg_is_in_recovery() or current_setting('transaction_read_only')::boolean as standby`,
  )
  return result.rows[0]?.standby ?? true
}

/** The timeline of a primary, and where each timeline before it was left. */
export type TimelineHistory = { readonly timeline: TimelineId; readonly switches: readonly TimelineSwitch[] }

export async function timelineHistory(primary: Login): Promise<TimelineHistory> {
  return await withConnection(primary, async (client) => {
    const result = await client.query<{ timeline: number; history: string | null }>(
      // Its two-argument form, which takes a missing file for nothing, came with 16.
      `select ('x' || tli)::bit(32)::int as timeline,
         pg_read_file('pg_wal/' || tli || '.history', 0, 1000000, true) as history
       from left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) as tli`,
    )
    const { timeline = 1, history = null } = result.rows[0] ?? {}
    return { timeline: timelineOf(timeline), switches: parseTimelineHistory(history ?? '') }
  })
}

/** How far a standby has come: its timeline, and the last position that it has received or replayed. */
export type StandbyPosition = { readonly timeline: TimelineId; readonly lsn: Lsn }

export async function standbyPosition(standby: Login): Promise<StandbyPosition> {
  return await withConnection(standby, async (client) => {
    const result = await client.query<{ timeline: number; lsn: string }>(
      `select greatest((select received_tli from pg_stat_wal_receiver), (select timeline_id from pg_control_checkpoint())) as timeline,
         greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::text as lsn`,
    )
    const { timeline = 1, lsn: text = '0/0' } = result.rows[0] ?? {}
    const lsn = parseLsn(text)
    // Without a WAL receiver only its files tell: pg_control is as old as its last restart point.
    const inFiles = (await segmentsAt(client, byteBefore(lsn))).map(timelineOfWalFileName)
    return { timeline: timelineOf(Math.max(timeline, ...inFiles)), lsn }
  })
}

/** Whether a server still has the WAL behind a position. */
export async function keepsWalFrom(primary: Login, lsn: Lsn): Promise<boolean> {
  return await withConnection(primary, async (client) => {
    if ((await segmentsAt(client, lsn)).length > 0) return true
    // Where a segment ends, the next one may not have been begun.
    return (await segmentsAt(client, byteBefore(lsn))).length > 0
  })
}

/** A position names the byte behind what is there. */
function byteBefore(lsn: Lsn): Lsn {
  return lsn > 0n ? lsnOf(lsn - 1n) : lsn
}

/** The names of the segments, one for each timeline, that hold the byte at a position. */
async function segmentsAt(client: pg.Client, lsn: Lsn): Promise<readonly string[]> {
  const result = await client.query<{ size: string; names: readonly string[] }>(
    `select (select setting from pg_settings where name = 'wal_segment_size') as size,
       (select coalesce(array_agg(name), '{}') from pg_ls_waldir()) as names`,
  )
  const { size = '', names = [] } = result.rows[0] ?? {}
  const segment = walFileName(timelineOf(1), lsn, Number(size)).slice(timelineDigits)
  return names.filter((name) => kindOfWalFile(name) === 'segment' && name.slice(timelineDigits) === segment)
}

/** At the beginning of the name of a segment. */
const timelineDigits = 8
