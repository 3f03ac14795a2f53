import { badValue, quoted } from './bad-value.js'
import { parseBytes, parseMilliseconds, parsePlainInteger, roundHalfToEven, type TimeUnit } from './setting-value.js'

/** When a setting can change: column `context` of pg_settings. */
export type SettingContext =
  | 'internal'
  | 'postmaster'
  | 'sighup'
  | 'superuser-backend'
  | 'backend'
  | 'superuser'
  | 'user'

/** Column `unit` of pg_settings: what one counts when the value has no unit. */
export type SettingUnit = '8kB' | 'B' | 'kB' | 'MB' | 'ms' | 's' | 'min'

export type SettingFacts = {
  /**
   * internal: never; postmaster: by a restart; sighup: by a reload; the others: by a reload, and a session may have a
   * value of its own.
   */
  readonly context: SettingContext
  readonly unit?: SettingUnit
  /** Whether a standby pauses its replay when its value is lower than the primary's. */
  readonly minimumOnStandby: boolean
  /** The first major version that has the setting, when that is not 14 or older. */
  readonly since?: number
  /** The last major version that has it. */
  readonly until?: number
}

type Row = {
  readonly context: SettingContext
  readonly unit?: SettingUnit
  readonly minimumOnStandby?: true
  readonly since?: number
  readonly until?: number
}

const restart: Row = { context: 'postmaster' }
const reload: Row = { context: 'sighup' }
const session: Row = { context: 'user' }

const rows: Readonly<Record<string, Row>> = {
  archive_cleanup_command: reload,
  archive_command: reload,
  archive_mode: restart,
  archive_timeout: { ...reload, unit: 's' },
  block_size: { context: 'internal' },
  checkpoint_timeout: { ...reload, unit: 's' },
  cluster_name: restart,
  config_file: restart,
  data_checksums: { context: 'internal' },
  data_directory: restart,
  default_transaction_read_only: session,
  effective_cache_size: { ...session, unit: '8kB' },
  fsync: reload,
  full_page_writes: reload,
  hba_file: restart,
  hot_standby: restart,
  hot_standby_feedback: reload,
  ident_file: restart,
  idle_in_transaction_session_timeout: { ...session, unit: 'ms' },
  idle_replication_slot_timeout: { ...reload, unit: 's', since: 18 },
  in_hot_standby: { context: 'internal' },
  listen_addresses: restart,
  log_destination: reload,
  log_directory: reload,
  log_filename: reload,
  log_line_prefix: reload,
  logging_collector: restart,
  maintenance_work_mem: { ...session, unit: 'kB' },
  max_connections: { ...restart, minimumOnStandby: true },
  max_locks_per_transaction: { ...restart, minimumOnStandby: true },
  max_prepared_transactions: { ...restart, minimumOnStandby: true },
  max_replication_slots: restart,
  max_slot_wal_keep_size: { ...reload, unit: 'MB' },
  max_standby_archive_delay: { ...reload, unit: 'ms' },
  max_standby_streaming_delay: { ...reload, unit: 'ms' },
  max_wal_senders: { ...restart, minimumOnStandby: true },
  max_wal_size: { ...reload, unit: 'MB' },
  max_worker_processes: { ...restart, minimumOnStandby: true },
  min_wal_size: { ...reload, unit: 'MB' },
  password_encryption: session,
  port: restart,
  primary_conninfo: reload,
  primary_slot_name: reload,
  promote_trigger_file: { ...reload, until: 15 },
  recovery_min_apply_delay: { ...reload, unit: 'ms' },
  recovery_target: restart,
  recovery_target_action: restart,
  recovery_target_inclusive: restart,
  recovery_target_lsn: restart,
  recovery_target_name: restart,
  recovery_target_time: restart,
  recovery_target_timeline: restart,
  recovery_target_xid: restart,
  restore_command: reload,
  scram_iterations: { ...session, since: 16 },
  server_version: { context: 'internal' },
  server_version_num: { context: 'internal' },
  shared_buffers: { ...restart, unit: '8kB' },
  shared_preload_libraries: restart,
  ssl: reload,
  ssl_ca_file: reload,
  ssl_cert_file: reload,
  ssl_key_file: reload,
  statement_timeout: { ...session, unit: 'ms' },
  summarize_wal: { ...reload, since: 17 },
  sync_replication_slots: { ...reload, since: 17 },
  synchronized_standby_slots: { ...reload, since: 17 },
  synchronous_commit: session,
  synchronous_standby_names: reload,
  track_commit_timestamp: restart,
  unix_socket_directories: restart,
  unix_socket_permissions: restart,
  wal_block_size: { context: 'internal' },
  wal_compression: { context: 'superuser' },
  wal_keep_size: { ...reload, unit: 'MB' },
  wal_level: restart,
  wal_log_hints: restart,
  wal_receiver_create_temp_slot: reload,
  wal_receiver_status_interval: { ...reload, unit: 's' },
  wal_receiver_timeout: { ...reload, unit: 'ms' },
  wal_retrieve_retry_interval: { ...reload, unit: 'ms' },
  wal_segment_size: { context: 'internal', unit: 'B' },
  wal_sender_timeout: { ...session, unit: 'ms' },
  work_mem: { ...session, unit: 'kB' },
}

/**
 * What PostgreSQL says about a setting that Maestra knows; undefined for all others. Names in any case, as in
 * PostgreSQL. Source: pg_settings of 14 to 18.
 * @public
 */
export function settingFacts(name: string): SettingFacts | undefined {
  const key = name.toLowerCase()
  const row = Object.hasOwn(rows, key) ? rows[key] : undefined
  return row && { minimumOnStandby: false, ...row }
}

/**
 * The settings whose value on a standby must not be lower than on its primary, with their defaults.
 * Source: "Administrator's Overview" in the chapter on hot standby, and boot_val of pg_settings.
 */
export const standbyMinimumSettings = {
  max_connections: 100,
  max_worker_processes: 8,
  max_wal_senders: 10,
  max_prepared_transactions: 0,
  max_locks_per_transaction: 64,
} as const

/**
 * The value of a numeric setting in the unit of that setting, as column `setting` of pg_settings shows it:
 * shared_buffers = '128MB' is 16384. Throws bad-value.
 */
export function parseSettingInteger(name: string, value: string): number {
  const unit = settingFacts(name)?.unit
  try {
    if (unit === undefined) return parsePlainInteger(value)
    const inUnits = isTime(unit)
      ? parseMilliseconds(value, unit) / parseMilliseconds('1', unit)
      : parseBytes(value, unit) / parseBytes('1', unit)
    return roundHalfToEven(inUnits)
  } catch {
    throw badValue(
      `${name} is ${quoted(value)}`,
      unit === undefined
        ? `${name} takes a whole number without a unit.`
        : `${name} takes a number, alone (of ${unit}) or with a unit.`,
    )
  }
}

function isTime(unit: SettingUnit): unit is SettingUnit & TimeUnit {
  return unit === 'ms' || unit === 's' || unit === 'min'
}
