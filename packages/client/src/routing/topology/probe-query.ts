/** Looks 1 and 2, in their order: see {@link probeQuery}. */
const reached = `
with recovery as materialized (
  select pg_catalog.pg_is_in_recovery() as in_recovery
), reached as materialized (
  select in_recovery,
         pg_catalog.pg_last_wal_replay_lsn() as replayed,
         case when not in_recovery then pg_catalog.pg_current_wal_insert_lsn() end as inserted
    from recovery
)`

/** When the server was started, in one form wherever it is compared: a connection with what the watch saw. */
export const startedAtColumn = `pg_catalog.to_char(pg_catalog.pg_postmaster_start_time() at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')`

/**
 * What one server is, in one row of texts, for a plain LOGIN role on PostgreSQL 14 to 19; pg_monitor fills the columns of
 * the WAL receiver too. Every column is text, so that no type parser of an application changes it. Every name is qualified,
 * types and operators too, so that no search_path of its role changes it.
 *
 * The order of looks matters, and PostgreSQL promises none among the columns of one SELECT. Each look is therefore made
 * from the row of the one before: a MATERIALIZED CTE is neither inlined nor evaluated twice, and a LATERAL subquery behind
 * OFFSET 0 that uses a column of its outer row cannot be evaluated before that row is there.
 * 1. In recovery or not. A server leaves recovery once and for its life, so `false` stays true for all that follows.
 * 2. The positions: replayed, or inserted.
 * 3. What may only be later than these: flushed, received, and the timeline that was received.
 *
 * A server that is read-only by its configuration takes no writes from anybody. One that is so for this role or this
 * connection alone says nothing of the server, so where the setting comes from is asked too.
 */
export const probeQuery = `${reached}
select reached.in_recovery::pg_catalog.text as in_recovery,
       reached.replayed::pg_catalog.text as replayed,
       reached.inserted::pg_catalog.text as inserted,
       later.flushed::pg_catalog.text as flushed,
       later.wal_file as wal_file,
       later.received::pg_catalog.text as received,
       later.received_timeline::pg_catalog.text as received_timeline,
       later.receiver_seen::pg_catalog.text as receiver_seen,
       (extract(epoch from later.replayed_commit) operator(pg_catalog.*) 1000)::pg_catalog.text as replayed_commit_ms,
       (extract(epoch from pg_catalog.clock_timestamp()) operator(pg_catalog.*) 1000)::pg_catalog.text as server_clock_ms,
       (select system_identifier::pg_catalog.text from pg_catalog.pg_control_system()) as system_identifier,
       ${startedAtColumn} as started_at,
       pg_catalog.pg_backend_pid()::pg_catalog.text as backend_pid,
       case when not reached.in_recovery and pg_catalog.current_setting('transaction_read_only') operator(pg_catalog.=) 'on'
            then (select source from pg_catalog.pg_settings where name operator(pg_catalog.=) 'default_transaction_read_only')
       end as read_only_by,
       pg_catalog.current_setting('server_version_num') as version_number,
       (select timeline_id::pg_catalog.text from pg_catalog.pg_control_checkpoint()) as checkpoint_timeline,
       (select min_recovery_end_timeline::pg_catalog.text from pg_catalog.pg_control_recovery()) as recovery_timeline,
       init.wal_block_size::pg_catalog.text as wal_block_size,
       init.bytes_per_wal_segment::pg_catalog.text as wal_segment_size
  from reached
  cross join lateral (
    select case when not reached.in_recovery then pg_catalog.pg_current_wal_flush_lsn() end as flushed,
           case when not reached.in_recovery then pg_catalog.pg_walfile_name(reached.inserted) end as wal_file,
           case when reached.in_recovery then pg_catalog.pg_last_wal_receive_lsn() end as received,
           case when reached.in_recovery then pg_catalog.pg_last_xact_replay_timestamp() end as replayed_commit,
           case when reached.in_recovery then (select received_tli from pg_catalog.pg_stat_wal_receiver where reached.in_recovery) end as received_timeline,
           pg_catalog.pg_has_role('pg_read_all_stats', 'usage') as receiver_seen
    offset 0
  ) later
  cross join pg_catalog.pg_control_init() init`

/** Of {@link positionQuery} where it is prepared. */
export const positionName = 'maestra_position'

/**
 * Only how far a server has come, in the same order and with the same names as in {@link probeQuery}: cheap enough to be
 * asked after each commit.
 */
export const positionQuery = `${reached}
select reached.in_recovery::pg_catalog.text as in_recovery,
       reached.replayed::pg_catalog.text as replayed,
       reached.inserted::pg_catalog.text as inserted,
       later.flushed::pg_catalog.text as flushed,
       later.received::pg_catalog.text as received,
       later.received_timeline::pg_catalog.text as received_timeline
  from reached
  cross join lateral (
    select case when not reached.in_recovery then pg_catalog.pg_current_wal_flush_lsn() end as flushed,
           case when reached.in_recovery then pg_catalog.pg_last_wal_receive_lsn() end as received,
           case when reached.in_recovery then (select received_tli from pg_catalog.pg_stat_wal_receiver where reached.in_recovery) end as received_timeline
    offset 0
  ) later`

/**
 * How far a primary has come, behind a write on the connection of that write, which no server in recovery has answered. The order of the
 * columns is of no matter: whatever was inserted by its commit is before either, and what was flushed stays so. Parsed each time.
 */
export const writtenQuery =
  'select pg_catalog.pg_current_wal_insert_lsn()::pg_catalog.text as inserted, pg_catalog.pg_current_wal_flush_lsn()::pg_catalog.text as flushed'

/**
 * How far a standby has replayed, without the timeline that it receives, which a plain role does not see. The order of looks is of no
 * matter here: whoever was in recovery at any time of the statement had replayed that much by its end.
 */
export const replayQuery =
  'select pg_catalog.pg_is_in_recovery()::pg_catalog.text as in_recovery, pg_catalog.pg_last_wal_replay_lsn()::pg_catalog.text as replayed'

/** The same for a role that sees the timeline: looked at behind the position, as in {@link probeQuery}. Parsed each time, so it is short. */
export const replayAndTimelineQuery = `
select reached.in_recovery::pg_catalog.text as in_recovery,
       reached.replayed::pg_catalog.text as replayed,
       (select received_tli::pg_catalog.text from pg_catalog.pg_stat_get_wal_receiver() where reached.in_recovery) as received_timeline
  from (select pg_catalog.pg_is_in_recovery() as in_recovery, pg_catalog.pg_last_wal_replay_lsn() as replayed offset 0) reached`
