import type { ServerVersionMajor } from './version.js'

/** In which major versions PostgreSQL has a setting. */
export type SettingMajors = {
  /** The first one. Undefined: 14 or before. */
  readonly since?: ServerVersionMajor
  /** The last one; 13 for what is gone since 14 or longer. Undefined: 18, or later. */
  readonly until?: ServerVersionMajor
  /** What took its place. */
  readonly successor?: string
}

const since = (major: ServerVersionMajor, names: readonly string[]) =>
  names.map((name): [string, SettingMajors] => [name, { since: major }])

const rows = new Map<string, SettingMajors>([
  ...since(15, [
    'archive_library',
    'log_startup_progress_interval',
    'recovery_prefetch',
    'recursive_worktable_factor',
    'stats_fetch_consistency',
    'wal_decode_buffer_size',
  ]),
  ...since(16, [
    'createrole_self_grant',
    'debug_logical_replication_streaming',
    'debug_parallel_query',
    'enable_presorted_aggregate',
    'gss_accept_delegation',
    'icu_validation_level',
    'max_parallel_apply_workers_per_subscription',
    'reserved_connections',
    'scram_iterations',
    'vacuum_buffer_usage_limit',
  ]),
  ...since(17, [
    'allow_alter_system',
    'commit_timestamp_buffers',
    'enable_group_by_reordering',
    'event_triggers',
    'io_combine_limit',
    'max_notify_queue_pages',
    'multixact_member_buffers',
    'multixact_offset_buffers',
    'notify_buffers',
    'serializable_buffers',
    'subtransaction_buffers',
    'summarize_wal',
    'sync_replication_slots',
    'synchronized_standby_slots',
    'trace_connection_negotiation',
    'transaction_buffers',
    'transaction_timeout',
    'wal_summary_keep_time',
  ]),
  ...since(18, [
    'autovacuum_vacuum_max_threshold',
    'autovacuum_worker_slots',
    'enable_distinct_reordering',
    'enable_self_join_elimination',
    'extension_control_path',
    'file_copy_method',
    'idle_replication_slot_timeout',
    'io_max_combine_limit',
    'io_max_concurrency',
    'io_method',
    'io_workers',
    'max_active_replication_origins',
    'md5_password_warnings',
    'oauth_validator_libraries',
    'ssl_groups',
    'ssl_tls13_ciphers',
    'track_cost_delay_timing',
    'vacuum_max_eager_freeze_failure_rate',
    'vacuum_truncate',
  ]),
  ['checkpoint_segments', { until: 13, successor: 'max_wal_size' }],
  ['wal_keep_segments', { until: 13, successor: 'wal_keep_size' }],
  ['standby_mode', { until: 13 }],
  ['trigger_file', { until: 13 }],
  ['operator_precedence_warning', { until: 13 }],
  ['vacuum_cleanup_index_scale_factor', { until: 13 }],
  ['stats_temp_directory', { until: 14 }],
  ['force_parallel_mode', { until: 15, successor: 'debug_parallel_query' }],
  ['promote_trigger_file', { until: 15 }],
  ['vacuum_defer_cleanup_age', { until: 15 }],
  ['db_user_namespace', { until: 16 }],
  ['old_snapshot_threshold', { until: 16 }],
  ['trace_recovery_messages', { until: 16 }],
])

/**
 * Which majors have a setting; empty for one that 14 to 18 all have, and for one that is not known here. Names in any
 * case. Source: pg_settings of 14.23, 15, 16.14, 17.10 and 18.4 compared; settings that only some minor versions of a
 * major have are left out. For those of 13 and before: the release notes.
 */
export function settingMajors(name: string): SettingMajors {
  return rows.get(name.toLowerCase()) ?? {}
}
