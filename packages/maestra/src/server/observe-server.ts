import { MaestraError, messageOf } from '@maestra/client/base/error'
import type { Secret } from '@maestra/client/base/secret'
import { type Lsn, parseLsn } from '@maestra/client/postgres/lsn'
import { timelineOf } from '@maestra/client/postgres/timeline'
import { serverVersionFromNumber } from '@maestra/client/postgres/version'
import { settingsFile } from '../cluster/node-configuration.js'
import type { FileSetting, ReplicationRole, RunningServer, ServerObservation } from '../cluster/observation.js'
import { configurationErrorsJson } from './configuration-errors.js'
import { errorCodeOf, type Login, withConnection } from './connection.js'
import { pendingRestartJson, startedWithJson } from './pending-restart.js'
import { waitsForDelay } from './replay.js'
import { settingsAboveJson } from './settings-above.js'
import { storedPasswordIs } from './stored-password.js'
import { tablespacesJson } from './tablespaces.js'
import { type WalReceiverRow, walReceiverJson, walReceiverOf } from './wal-receiver.js'

/** Asks a running server for all that a plan and a status need, in one statement. */
export async function observeServer(
  login: Login,
  /** The password where one is asked for and known. */
  role: { readonly name: string; readonly password: Secret | undefined },
): Promise<ServerObservation> {
  try {
    const row = await withConnection(login, async (client) => {
      const result = await client.query<{ seen: ServerRow }>(question, [role.name])
      return result.rows[0]?.seen
    })
    if (row === undefined) return { kind: 'unreachable', because: 'it answered without a row' }
    return serverOf(row, await replicationRoleOf(row, role))
  } catch (error) {
    return answerOf(error)
  }
}

/** A server that starts or stops says so; everything else is a reason why it cannot be asked. */
function answerOf(error: unknown): ServerObservation {
  const cause = error instanceof MaestraError ? (error.cause ?? error) : error
  if (errorCodeOf(error) === '57P03') return { kind: 'starting', because: messageOf(cause) }
  return { kind: 'unreachable', because: messageOf(error) }
}

/**
 * As one JSON value, so that the whole look is one snapshot and one round trip. A standby cannot name a WAL file; its
 * timeline is that of what it receives, else that of its last restart point.
 */
const question = `
  select json_build_object(
    'versionNumber', current_setting('server_version_num')::int,
    'systemIdentifier', (select system_identifier::text from pg_control_system()),
    'dataDirectory', current_setting('data_directory'),
    'inRecovery', pg_is_in_recovery(),
    'timeline', case when pg_is_in_recovery()
      then coalesce((select received_tli from pg_stat_wal_receiver), (select timeline_id from pg_control_checkpoint()))
      else ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int end,
    'lsn', case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end,
    'receivedLsn', case when pg_is_in_recovery() then pg_last_wal_receive_lsn() end,
    'restores', coalesce((select bool_or(setting <> '') from pg_file_settings
        where lower(name) = 'restore_command' and sourcefile not like '%/${settingsFile}'), false)
      or (select setting <> '' and sourcefile is null from pg_settings where name = 'restore_command'),
    'replayPaused', case when pg_is_in_recovery() then pg_is_wal_replay_paused() else false end,
    'applyDelayMs', (select setting::float8 from pg_settings where name = 'recovery_min_apply_delay'),
    'waitsForDelay', ${waitsForDelay},
    'startedAtMs', (extract(epoch from pg_postmaster_start_time()) * 1000)::float8,
    'lastReplayedCommitAtMs', (extract(epoch from pg_last_xact_replay_timestamp()) * 1000)::float8,
    'sinceLastReplayMs', case when pg_is_in_recovery()
      then (extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()) * 1000)::float8 end,
    'configurationErrors', ${configurationErrorsJson},
    'settingsAbove', ${settingsAboveJson},
    'configurationLoadedAtMs', (extract(epoch from pg_conf_load_time()) * 1000)::float8,
    'pendingRestart', ${pendingRestartJson},
    'startedWith', ${startedWithJson},
    'walReceiver', ${walReceiverJson},
    'walSenders', (select coalesce(json_agg(json_build_object('node', application_name, 'state', state, 'sync', sync_state,
        'replayLsn', replay_lsn, 'replayLagMs', (extract(epoch from replay_lag) * 1000)::float8)), '[]')
      from pg_stat_replication),
    'failedArchiving', (select json_build_object('file', last_failed_wal, 'times', failed_count) from pg_stat_archiver
      where last_failed_time > coalesce(last_archived_time, '-infinity')),
    'slots', (select coalesce(json_agg(json_build_object('name', slot_name, 'physical', slot_type = 'physical',
        'active', active, 'walStatus', wal_status, 'invalidation', to_jsonb(slot) ->> 'invalidation_reason')), '[]')
      from pg_replication_slots as slot),
    'tablespaces', ${tablespacesJson},
    'replicationRole', (select json_build_object('canLogin', rolcanlogin, 'canReplicate', rolreplication, 'stored', rolpassword)
      from pg_authid where rolname = $1)
  ) as seen`

type ServerRow = {
  readonly versionNumber: number
  readonly systemIdentifier: string
  readonly dataDirectory: string
  readonly inRecovery: boolean
  readonly timeline: number
  readonly lsn: string | null
  readonly receivedLsn: string | null
  readonly restores: boolean
  readonly replayPaused: boolean
  readonly applyDelayMs: number
  readonly waitsForDelay: boolean
  readonly startedAtMs: number
  readonly lastReplayedCommitAtMs: number | null
  readonly sinceLastReplayMs: number | null
  readonly configurationErrors: readonly string[]
  readonly settingsAbove: readonly FileSetting[]
  readonly configurationLoadedAtMs: number
  readonly pendingRestart: readonly string[]
  readonly startedWith: RunningServer['startedWith']
  readonly walReceiver: WalReceiverRow | null
  readonly walSenders: readonly {
    readonly node: string
    readonly state: string
    readonly sync: string
    readonly replayLsn: string | null
    readonly replayLagMs: number | null
  }[]
  readonly slots: readonly {
    readonly name: string
    readonly physical: boolean
    readonly active: boolean
    readonly walStatus: string | null
    readonly invalidation: string | null
  }[]
  readonly tablespaces: RunningServer['tablespaces']
  readonly failedArchiving: RunningServer['failedArchiving'] | null
  /** With what pg_authid stores for its password. */
  readonly replicationRole: (Omit<ReplicationRole, 'passwordIs'> & { readonly stored: string | null }) | null
}

async function replicationRoleOf(
  { replicationRole: found }: ServerRow,
  { name, password }: { readonly name: string; readonly password: Secret | undefined },
): Promise<ReplicationRole | undefined> {
  if (found === null) return undefined
  const { canLogin, canReplicate, stored } = found
  return { canLogin, canReplicate, passwordIs: await storedPasswordIs(stored, name, password) }
}

function serverOf(row: ServerRow, replicationRole: ReplicationRole | undefined): RunningServer {
  return {
    kind: 'up',
    version: serverVersionFromNumber(row.versionNumber),
    systemIdentifier: row.systemIdentifier,
    dataDirectory: row.dataDirectory,
    inRecovery: row.inRecovery,
    timeline: timelineOf(row.timeline),
    lsn: optionalLsn(row.lsn) ?? parseLsn('0/0'),
    receivedLsn: optionalLsn(row.receivedLsn),
    restores: row.restores,
    replayPaused: row.replayPaused,
    applyDelayMs: row.applyDelayMs,
    waitsForDelay: row.waitsForDelay,
    startedAtMs: row.startedAtMs,
    lastReplayedCommitAtMs: row.lastReplayedCommitAtMs ?? undefined,
    sinceLastReplayMs: row.sinceLastReplayMs ?? undefined,
    configurationErrors: row.configurationErrors,
    settingsAbove: row.settingsAbove,
    configurationLoadedAtMs: row.configurationLoadedAtMs,
    pendingRestart: row.pendingRestart,
    startedWith: row.startedWith,
    walReceiver: walReceiverOf(row.walReceiver),
    walSenders: row.walSenders.map((sender) => ({
      node: sender.node,
      state: sender.state,
      sync: sender.sync,
      replayLsn: optionalLsn(sender.replayLsn),
      replayLagMs: sender.replayLagMs ?? undefined,
    })),
    slots: row.slots.map(({ walStatus, invalidation, ...slot }) => ({
      ...slot,
      walStatus: walStatus ?? undefined,
      invalidation: invalidation ?? undefined,
    })),
    tablespaces: row.tablespaces,
    failedArchiving: row.failedArchiving ?? undefined,
    replicationRole,
  }
}

function optionalLsn(text: string | null): Lsn | undefined {
  return text === null ? undefined : parseLsn(text)
}
