import type { WalReceiver } from '../cluster/observation.js'

/**
 * A row of pg_stat_wal_receiver as a JSON value, or null when no WAL receiver runs. Its column conninfo would say the same
 * as sender_host and sender_port, without the quotes that a path with a space needs.
 */
export const walReceiverJson = `(select json_build_object('status', status, 'host', sender_host, 'port', sender_port,
  'slot', slot_name) from pg_stat_wal_receiver where pid is not null)`

export type WalReceiverRow = {
  readonly status: string
  readonly host: string | null
  readonly port: number | null
  readonly slot: string | null
}

export function walReceiverOf(row: WalReceiverRow | null): WalReceiver | undefined {
  if (row === null) return undefined
  // Both are null until it has connected.
  return { status: row.status, host: row.host ?? '', port: row.port ?? 0, slot: row.slot ?? undefined }
}

/** What a WAL receiver does, in words that follow "it". */
export function receiverText(receiver: WalReceiver | undefined): string {
  if (receiver === undefined) return 'has no WAL receiver'
  const { status, host, port, slot } = receiver
  return `has a WAL receiver that is ${status} from ${host}:${port} through ${slot ?? 'no slot'}`
}
