import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import { MaestraError } from '@maestra/client/base/error'
import { formatLsn, type Lsn } from '@maestra/client/postgres/lsn'
import type { TimelineId } from '@maestra/client/postgres/timeline'
import { walFileName } from '@maestra/client/postgres/wal-file'
import { errorCodeOf, type Login, withConnection } from './connection.js'

/** SQLSTATEs duplicate_object, undefined_object and object_in_use. */
const duplicateObject = '42710'
const undefinedObject = '42704'
const objectInUse = '55006'

/** How long a standby that goes elsewhere may take to leave a slot, in ms. */
const slotTimeoutMs = 70_000

/**
 * Whether there is a physical slot of that name that still keeps what it was made for. One that was made without reserving WAL
 * keeps nothing before a standby uses it.
 */
export async function hasPhysicalSlot(login: Login, slot: string): Promise<boolean> {
  return await withConnection(login, async (client) => {
    const found = await client.query(
      `select from pg_replication_slots
       where slot_name = $1 and slot_type = 'physical' and wal_status is distinct from 'lost'
         and (active or restart_lsn is not null)`,
      [slot],
    )
    return found.rowCount === 1
  })
}

/** Whether WAL from there on is still there: kept by the physical slot of that name, or not removed yet. */
export async function keepsWalFrom(
  login: Login,
  slot: string,
  from: { readonly lsn: Lsn; readonly timeline: TimelineId },
): Promise<boolean> {
  if (!(await hasPhysicalSlot(login, slot))) return false
  return await withConnection(login, async (client) => {
    const { rows } = await client.query<{ kept: boolean; segment: number }>(
      `select coalesce(restart_lsn <= $2::pg_lsn, false) as kept,
         (select setting::int from pg_settings where name = 'wal_segment_size') as segment
       from pg_replication_slots where slot_name = $1`,
      [slot, formatLsn(from.lsn)],
    )
    const [row] = rows
    if (row === undefined || row.kept) return row !== undefined
    // The slot of a standby that was copied before has gone on with it; the node may still need that WAL itself.
    const file = walFileName(from.timeline, from.lsn, row.segment)
    return (await client.query('select from pg_ls_waldir() where name = $1', [file])).rowCount === 1
  })
}

/** What a slot of that server may keep, as it is set there now: `16GB`, `-1` for no limit. */
export async function slotWalKeepSize(login: Login): Promise<string> {
  return await withConnection(login, async (client) => {
    const { rows } = await client.query<{ size: string }>(`select current_setting('max_slot_wal_keep_size') as size`)
    return rows[0]?.size ?? 'unknown'
  })
}

/**
 * A physical slot that keeps WAL from this moment on, unless there is one of use: in place of one that keeps nothing, lost or
 * never reserved. Throws plan-refused where a slot of that name is another one.
 */
export async function ensurePhysicalSlot(login: Login, slot: string): Promise<void> {
  if (await hasPhysicalSlot(login, slot)) return
  await dropUselessSlot(login, slot)
  await makePhysicalSlot(login, slot)
}

async function makePhysicalSlot(login: Login, slot: string): Promise<void> {
  await withConnection(login, async (client) => {
    try {
      await client.query('select pg_create_physical_replication_slot($1, immediately_reserve => true)', [slot])
    } catch (error) {
      if (errorCodeOf(error) !== duplicateObject) throw error
      throw new MaestraError(
        'plan-refused',
        `${login.node} has a replication slot ${slot} that is a logical one, or does not keep the WAL that it is for`,
        { cause: error, hint: 'maestra plan says what to do with it' },
      )
    }
  })
}

async function dropUselessSlot(login: Login, slot: string): Promise<void> {
  await withConnection(login, async (client) => {
    await client.query(
      `select pg_drop_replication_slot(slot_name) from pg_replication_slots
       where slot_name = $1 and slot_type = 'physical' and not active
         and (wal_status = 'lost' or restart_lsn is null)`,
      [slot],
    )
  })
}

/** Whether there is a physical slot of that name, of use or not. */
export async function physicalSlotExists(login: Login, slot: string): Promise<boolean> {
  return await withConnection(login, async (client) => {
    const found = await client.query(
      `select from pg_replication_slots where slot_name = $1 and slot_type = 'physical'`,
      [slot],
    )
    return found.rowCount === 1
  })
}

/** Waits until nobody uses a slot; its WAL sender may notice late that the standby has gone elsewhere. */
export async function untilSlotUnused(login: Login, slot: string, signal: AbortSignal): Promise<void> {
  await waitUntil(
    async () =>
      await withConnection(login, async (client) => {
        const found = await client.query<{ pid: number }>(
          'select active_pid as pid from pg_replication_slots where slot_name = $1 and active',
          [slot],
        )
        const pid = found.rows[0]?.pid
        return pid === undefined ? { done: true, value: undefined } : { done: false, seen: `process ${pid} uses it` }
      }),
    { awaited: `nobody to use the slot ${slot} of ${login.node}`, deadline: Deadline.after(slotTimeoutMs), signal },
  )
}

/** Drops the physical slot of a standby; one that is gone already is fine. Throws plan-refused while it is in use. */
export async function dropPhysicalSlot(
  login: Login,
  { slot, standby }: { readonly slot: string; readonly standby: string },
): Promise<void> {
  await withConnection(login, async (client) => {
    try {
      await client.query(
        `select pg_drop_replication_slot(slot_name) from pg_replication_slots
         where slot_name = $1 and slot_type = 'physical'`,
        [slot],
      )
    } catch (error) {
      if (errorCodeOf(error) === undefinedObject) return
      if (errorCodeOf(error) !== objectInUse) throw error
      throw new MaestraError('plan-refused', `${standby} still streams from ${login.node} through the slot ${slot}`, {
        cause: error,
        hint: `stop the server of ${standby} first, then: maestra apply`,
      })
    }
  })
}
