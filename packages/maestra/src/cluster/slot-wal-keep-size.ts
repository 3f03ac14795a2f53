import { parseSettingInteger } from '@maestra/client/postgres/settings'
import type { DeclaredNode } from './declared-cluster.js'

/**
 * What a slot may keep unless `max_slot_wal_keep_size` is declared. PostgreSQL's own default is no limit: then a standby
 * that stays away fills the primary's disk, and the primary stops. With it, the standby loses its slot instead, and is
 * copied anew. 1,024 segments last for hours of an ordinary load, and most disks have room for them.
 */
export const defaultSlotWalKeepSize = '16GB'

const megabyte = 1024 * 1024

/** How many bytes of WAL a slot of that node keeps at most; undefined where there is no limit, or no telling. */
export function slotWalKeepBytes({ parameters }: DeclaredNode): number | undefined {
  try {
    const limit = parseSettingInteger(
      'max_slot_wal_keep_size',
      parameters['max_slot_wal_keep_size'] ?? defaultSlotWalKeepSize,
    )
    // What wal_keep_size keeps, a slot with a lower limit keeps too.
    const kept = parseSettingInteger('wal_keep_size', parameters['wal_keep_size'] ?? '0')
    return limit < 0 ? undefined : Math.max(limit, kept) * megabyte
  } catch {
    return undefined
  }
}
