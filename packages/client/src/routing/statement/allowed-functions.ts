/** Functions of PostgreSQL that a proven read may call, and why that group is harmless. */
type FunctionGroup = {
  readonly why: string
  /** Bare names, by blanks. None has an overload in pg_catalog that is not harmless; a test asks the servers. */
  readonly names: string
  /** The first major version that has them, where that is after the oldest one. */
  readonly since?: number
}

/**
 * A function is here when it writes nothing, touches no state of the session, runs no text of its arguments, calls no
 * function that somebody made, and gives on every node of a cluster what it gives on the primary at the same position (but
 * for clocks, chance, and settings that a declared cluster has alike). Not here, and why: those that name the server or the
 * session (version, inet_*, pg_backend_pid, pg_stat_*, current_setting), sequences, transaction numbers, advisory locks,
 * sizes on disk, files, large objects, those that run a text or read a relation of their choice (query_to_xml, ts_stat,
 * ts_rewrite), those that make a value of any type (json_populate_record, pg_input_is_valid: a domain's check), setseed. @internal
 */
export const functionGroups: readonly FunctionGroup[] = [
  {
    why: 'Aggregates of numbers, of truth and of order: functions of their rows.',
    names: `avg bit_and bit_or bool_and bool_or corr count covar_pop covar_samp every max min mode
      percentile_cont percentile_disc regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy
      regr_syy stddev stddev_pop stddev_samp sum var_pop var_samp variance array_agg string_agg xmlagg json_agg json_object_agg
      jsonb_agg jsonb_object_agg range_agg range_intersect_agg bit_xor`,
  },
  {
    why: 'The same, of later versions.',
    names: `any_value json_agg_strict json_object_agg_strict json_object_agg_unique json_object_agg_unique_strict jsonb_agg_strict
      jsonb_object_agg_strict jsonb_object_agg_unique jsonb_object_agg_unique_strict`,
    since: 16,
  },
  {
    why: 'Window functions: functions of their partition.',
    names: 'cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number',
  },
  {
    why: 'Mathematics.',
    names: `abs acos acosd acosh asin asind asinh atan atan2 atan2d atand atanh cbrt ceil ceiling cos cosd cosh cot cotd degrees
      div exp factorial floor gcd lcm ln log log10 min_scale mod numeric_exp pi pow power radians round scale sign sin sind
      sinh sqrt tan tand tanh trim_scale trunc width_bucket bit_count float4 float8 int2 int4 int8 numeric money`,
  },
  { why: 'Mathematics of later versions.', names: 'erf erfc', since: 16 },
  { why: 'Mathematics and checksums of later versions.', names: 'gamma lgamma crc32 crc32c', since: 18 },
  {
    why: 'Chance: each call gives another value on any server. What seeds it is a setting of the session, and not here.',
    names: 'random gen_random_uuid',
  },
  { why: 'Chance, of later versions.', names: 'random_normal array_sample array_shuffle', since: 16 },
  { why: 'Chance, of later versions.', names: 'uuidv4 uuidv7', since: 18 },
  { why: 'Parts of a UUID.', names: 'uuid_extract_timestamp uuid_extract_version', since: 17 },
  {
    why: 'Strings and bytes.',
    names: `ascii bit_length btrim char_length character_length chr concat concat_ws convert convert_from convert_to decode encode
      format get_bit get_byte initcap is_normalized left length like like_escape lower lpad ltrim md5 normalize notlike
      octet_length overlay parse_ident position quote_ident quote_literal quote_nullable regexp_match regexp_matches
      regexp_replace regexp_split_to_array regexp_split_to_table repeat replace reverse right rpad rtrim set_bit set_byte sha224
      sha256 sha384 sha512 similar_escape similar_to_escape split_part starts_with string_to_array string_to_table strpos substr
      substring text to_ascii to_hex translate unistr upper bpchar varchar name`,
  },
  { why: 'Strings, of later versions.', names: 'regexp_count regexp_instr regexp_like regexp_substr', since: 15 },
  { why: 'Strings, of later versions.', names: 'to_bin to_oct unicode_assigned', since: 17 },
  { why: 'Strings, of later versions.', names: 'casefold', since: 18 },
  {
    why: 'Clocks. Those of two hosts differ as two calls do; what a transaction wrote is compared by values, not by clocks.',
    names: 'clock_timestamp now statement_timestamp timeofday transaction_timestamp',
  },
  {
    why: 'Dates and times. age of a transaction number counts from the next one that the node knows, which moves by itself.',
    names: `age date date_bin date_part date_trunc extract isfinite justify_days justify_hours justify_interval make_date
      make_interval make_time make_timestamp make_timestamptz overlaps time timestamp timestamptz timetz timezone to_char to_date
      to_number to_timestamp interval`,
  },
  { why: 'Dates, of later versions.', names: 'date_add date_subtract', since: 16 },
  {
    why: 'Waiting: writes nothing and holds no more than any long read does.',
    names: 'pg_sleep pg_sleep_for pg_sleep_until',
  },
  { why: 'Enumerations: in the order of the catalogue.', names: 'enum_first enum_last enum_range' },
  {
    why: 'Arrays. They compare elements by the operator class of their type, and one made in the database stops all proofs.',
    names: `array_append array_cat array_dims array_fill array_length array_lower array_ndims array_position array_positions
      array_prepend array_remove array_replace array_to_string array_upper cardinality trim_array unnest generate_subscripts`,
  },
  { why: 'Arrays, of later versions.', names: 'array_reverse array_sort', since: 18 },
  { why: 'Rows out of nothing.', names: 'generate_series' },
  { why: 'Looking at arguments.', names: 'num_nonnulls num_nulls pg_typeof pg_column_size' },
  {
    why: 'Ranges. Those of types made in the database are made by functions of the name of the type.',
    names: `daterange datemultirange int4range int4multirange int8range int8multirange numrange nummultirange tsrange tsmultirange
      tstzrange tstzmultirange isempty lower_inc lower_inf multirange range_merge upper_inc upper_inf`,
  },
  {
    why: 'JSON. A cast to json made in the database, which these would call, stops all proofs. Types of columns are looked at as casts.',
    names: `array_to_json json_array_elements json_array_elements_text json_array_length json_build_array json_build_object json_each
      json_each_text json_extract_path json_extract_path_text json_object json_object_keys json_strip_nulls json_to_record
      json_to_recordset json_to_tsvector json_typeof jsonb_array_elements jsonb_array_elements_text jsonb_array_length
      jsonb_build_array jsonb_build_object jsonb_each jsonb_each_text jsonb_extract_path jsonb_extract_path_text jsonb_insert
      jsonb_object jsonb_object_keys jsonb_path_exists jsonb_path_exists_tz jsonb_path_match jsonb_path_match_tz
      jsonb_path_query jsonb_path_query_array jsonb_path_query_array_tz jsonb_path_query_first jsonb_path_query_first_tz
      jsonb_path_query_tz jsonb_pretty jsonb_set jsonb_set_lax jsonb_strip_nulls jsonb_to_record jsonb_to_recordset
      jsonb_to_tsvector jsonb_typeof row_to_json to_json to_jsonb`,
  },
  {
    why: 'Text search, by configurations and dictionaries of the catalogue. ts_stat and ts_rewrite run a text and are not here.',
    names: `array_to_tsvector get_current_ts_config numnode phraseto_tsquery plainto_tsquery querytree setweight strip to_tsquery
      to_tsvector ts_delete ts_filter ts_headline ts_lexize ts_rank ts_rank_cd tsquery_phrase tsvector_to_array
      websearch_to_tsquery`,
  },
  {
    why: 'XML in the text that they are given; PostgreSQL loads no entity from outside.',
    names: `xml xml_is_well_formed xml_is_well_formed_content xml_is_well_formed_document xmlcomment xmlexists xpath
      xpath_exists`,
  },
  { why: 'XML, of later versions.', names: 'xmltext', since: 17 },
  {
    why: 'Geometry.',
    names: `area box center circle diagonal diameter height isclosed ishorizontal isopen isparallel isperp isvertical line lseg
      npoints path pclose point polygon popen radius slope width bound_box`,
  },
  {
    why: 'Network addresses; those of the connection are not here.',
    names: `abbrev broadcast family host hostmask inet_merge inet_same_family masklen netmask network set_masklen macaddr
      macaddr8 macaddr8_set7bit`,
  },
  {
    why: `Who asks and where: a pool has the same role and database on every node. With a search_path that begins with pg_temp
      current_schema makes a schema: a standby refuses that with 25006, and rule R8 asks the primary.`,
    names: 'current_database current_schema current_schemas current_user session_user',
  },
  {
    why: 'What the catalogue says, which is replicated like any table; not what a server does or holds on disk.',
    names: `col_description format_type has_any_column_privilege has_column_privilege has_database_privilege
      has_function_privilege has_schema_privilege has_sequence_privilege has_table_privilege has_type_privilege obj_description
      pg_encoding_to_char pg_function_is_visible pg_get_constraintdef pg_get_expr pg_get_function_arguments
      pg_get_function_identity_arguments pg_get_function_result pg_get_functiondef pg_get_indexdef pg_get_partkeydef pg_get_ruledef
      pg_get_serial_sequence pg_get_triggerdef pg_get_userbyid pg_get_viewdef pg_has_role pg_table_is_visible
      pg_type_is_visible shobj_description to_regclass to_regnamespace to_regproc to_regprocedure to_regrole to_regtype`,
  },
  {
    why: 'Byte counts for people, and their distance in the log: functions of their arguments.',
    names: 'pg_size_bytes pg_size_pretty pg_wal_lsn_diff pg_lsn',
  },
]

/** Names of functions that a proven read may call. */
export const allowedFunctions: ReadonlySet<string> = new Set(functionGroups.flatMap(namesOf))

/**
 * Beside them in a row change, which goes to the primary in any case. What nextval took is not given back after an error,
 * but a sequence is read on the primary alone.
 */
export const rowChangeFunctions: ReadonlySet<string> = new Set(['nextval', 'currval', 'lastval', 'merge_action'])

/**
 * Functions of PostgreSQL that are not for a replica, and yet change no setting of the session. Of any other name that is not
 * allowed it is not known whether it is one of PostgreSQL's or was made a moment ago.
 */
export const keepsSettings: ReadonlySet<string> = new Set(
  `nextval currval lastval setval setseed version current_setting current_query row_security_active
    inet_client_addr inet_client_port inet_server_addr inet_server_port
    pg_backend_pid pg_blocking_pids pg_cancel_backend pg_terminate_backend pg_postmaster_start_time pg_conf_load_time
    pg_is_in_recovery pg_current_wal_lsn pg_current_wal_insert_lsn pg_current_wal_flush_lsn pg_last_wal_receive_lsn
    pg_last_wal_replay_lsn pg_last_xact_replay_timestamp pg_walfile_name pg_switch_wal pg_create_restore_point
    pg_current_snapshot pg_current_xact_id pg_current_xact_id_if_assigned pg_xact_status txid_current txid_current_if_assigned
    txid_current_snapshot txid_status pg_export_snapshot pg_notify
    pg_advisory_lock pg_advisory_lock_shared pg_advisory_unlock pg_advisory_unlock_all pg_advisory_unlock_shared
    pg_advisory_xact_lock pg_advisory_xact_lock_shared pg_try_advisory_lock pg_try_advisory_lock_shared
    pg_try_advisory_xact_lock pg_try_advisory_xact_lock_shared
    pg_database_size pg_relation_size pg_table_size pg_indexes_size pg_total_relation_size pg_tablespace_size
    lo_creat lo_create lo_unlink lo_get lo_put lo_from_bytea lo_open lo_close lo_import lo_export loread lowrite
    json_populate_record json_populate_recordset jsonb_populate_record jsonb_populate_recordset`.split(/\s+/),
)

/** The names of a group. @internal */
export function namesOf({ names }: { readonly names: string }): readonly string[] {
  return names.trim().split(/\s+/)
}
