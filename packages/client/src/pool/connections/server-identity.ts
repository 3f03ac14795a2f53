import type pg from 'pg'
import { type Lsn, parseLsn } from '../../postgres/lsn.js'
import { startedAtColumn } from '../../routing/topology/probe-query.js'
import { askServer, type TextRow } from '../calls/ask-server.js'

/** What a connection finds at its other end when it opens (rule R2). */
export type ServerIdentity = {
  readonly systemIdentifier: string
  /** pg_postmaster_start_time() in UTC, to the microsecond, as the watch writes it. */
  readonly startedAt: string
  /** Of the server process, as it says itself. */
  readonly backendPid: number
  readonly inRecovery: boolean
  /** How far a standby had replayed. */
  readonly replayed: Lsn | undefined
  /** What the session commits by, after the session profile has run (rule W4). */
  readonly synchronousCommit: string
}

/** Every role may call pg_control_system(). */
const identityQuery = `select system_identifier::pg_catalog.text as system_identifier,
  ${startedAtColumn} as started_at,
  pg_catalog.pg_backend_pid()::pg_catalog.text as backend_pid, pg_catalog.pg_is_in_recovery()::pg_catalog.text as in_recovery,
  pg_catalog.pg_last_wal_replay_lsn()::pg_catalog.text as replayed, pg_catalog.current_setting('synchronous_commit') as synchronous_commit
from pg_catalog.pg_control_system()`

export async function askIdentity(client: pg.ClientBase): Promise<ServerIdentity> {
  return identityOf(await askServer(client, identityQuery))
}

function identityOf(row: TextRow): ServerIdentity {
  const inRecovery = row['in_recovery'] === 'true'
  return {
    systemIdentifier: row['system_identifier'] ?? '',
    startedAt: row['started_at'] ?? '',
    backendPid: Number(row['backend_pid']),
    inRecovery,
    replayed: inRecovery && row['replayed'] ? parseLsn(row['replayed']) : undefined,
    synchronousCommit: row['synchronous_commit'] ?? '',
  }
}

/**
 * With a pooler in between, what answers to one statement need not answer to the next (rule R4): the process that the
 * connection was told of is then another one than the server names.
 */
export function isPooled(client: pg.ClientBase, identity: ServerIdentity): boolean {
  return (client as { processID?: number | null }).processID !== identity.backendPid
}
