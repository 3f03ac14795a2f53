import { parseConninfo } from '@maestra/client/postgres/conninfo'
import type { WalReceiver } from '../cluster/observation.js'

/**
 * A row of pg_stat_wal_receiver as a JSON value, or null when no WAL receiver runs. To be selected in a server's one
 * look.
 */
export const walReceiverJson = `(select json_build_object('status', status, 'conninfo', conninfo, 'slot', slot_name)
  from pg_stat_wal_receiver where pid is not null)`

export type WalReceiverRow = { readonly status: string; readonly conninfo: string; readonly slot: string | null }

/** pg_stat_wal_receiver shows its connection string with the passwords masked. */
export function walReceiverOf(row: WalReceiverRow | null): WalReceiver | undefined {
  if (row === null) return undefined
  const conninfo = parseConninfo(row.conninfo)
  return {
    status: row.status,
    host: conninfo['host'] ?? '',
    port: Number(conninfo['port'] ?? 5432),
    slot: row.slot ?? undefined,
  }
}

/** What a WAL receiver does, in words that follow "it". */
export function receiverText(receiver: WalReceiver | undefined): string {
  if (receiver === undefined) return 'has no WAL receiver'
  const { status, host, port, slot } = receiver
  return `has a WAL receiver that is ${status} from ${host}:${port} through ${slot ?? 'no slot'}`
}
