import type pg from 'pg'
import { parseProgress } from '../../routing/topology/parse-probe.js'
import { startedAtColumn } from '../../routing/topology/probe-query.js'
import type { StandbyProgress } from '../../routing/topology/server-state.js'
import { askServer, type TextRow } from '../calls/ask-server.js'

/** What a connection finds at its other end when it opens (rule R2). */
export type ServerIdentity = {
  readonly systemIdentifier: string
  /** pg_postmaster_start_time() in UTC, to the microsecond, as the watch writes it. */
  readonly startedAt: string
  /** Of the server process, as it says itself. */
  readonly backendPid: number
  readonly inRecovery: boolean
  /** How far a standby had come; undefined of a server out of recovery. */
  readonly progress: StandbyProgress | undefined
  /** What the session commits by, after the session profile has run (rule W4). */
  readonly synchronousCommit: string
}

/**
 * Every role may call pg_control_system(), and what the WAL receiver does is null for one that does not see it. Its timeline is looked at
 * behind the position, as in probeQuery.
 */
const identityQuery = `select system.system_identifier::pg_catalog.text as system_identifier,
  ${startedAtColumn} as started_at,
  pg_catalog.pg_backend_pid()::pg_catalog.text as backend_pid, reached.in_recovery::pg_catalog.text as in_recovery,
  reached.replayed::pg_catalog.text as replayed,
  (select received_tli::pg_catalog.text from pg_catalog.pg_stat_get_wal_receiver() where reached.in_recovery) as received_timeline,
  pg_catalog.current_setting('synchronous_commit') as synchronous_commit
from pg_catalog.pg_control_system() system
cross join (select pg_catalog.pg_is_in_recovery() as in_recovery, pg_catalog.pg_last_wal_replay_lsn() as replayed offset 0) reached`

export async function askIdentity(client: pg.ClientBase): Promise<ServerIdentity> {
  return identityOf(await askServer(client, identityQuery))
}

function identityOf(row: TextRow): ServerIdentity {
  const inRecovery = row['in_recovery'] === 'true'
  const progress = inRecovery ? parseProgress(row) : undefined
  return {
    systemIdentifier: row['system_identifier'] ?? '',
    startedAt: row['started_at'] ?? '',
    backendPid: Number(row['backend_pid']),
    inRecovery,
    progress: progress?.inRecovery ? progress : undefined,
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
