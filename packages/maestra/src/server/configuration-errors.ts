import type pg from 'pg'

/**
 * A JSON array of what a running server finds wrong with its configuration files as they are on the disk, whether it has
 * read them or not: `file:line: name: error`. What only waits for a restart is not wrong; of a setting that is in no file any
 * more that comes without name and file, and so does a postgresql.conf that cannot be read. One bad line of pg_hba.conf keeps
 * all of that file from being read.
 */
export const configurationErrorsJson = `(select coalesce(json_agg(text), '[]') from (
  select coalesce(f.sourcefile || ':' || f.sourceline, current_setting('config_file')) || ': ' || coalesce(f.name || ': ', '') || f.error as text
  from pg_file_settings f left join pg_settings s on lower(s.name) = lower(f.name)
  where f.error is not null and (s.context is null or s.context not in ('postmaster', 'internal'))
    and (f.sourcefile is not null or pg_stat_file(current_setting('config_file'), true) is null)
  union all
  select 'pg_hba.conf:' || line_number || ': ' || error from pg_hba_file_rules where error is not null) wrong)`

/** What is wrong with the configuration files as they are on the disk now. */
export async function configurationErrors(client: pg.Client): Promise<readonly string[]> {
  const result = await client.query<{ wrong: readonly string[] }>(`select ${configurationErrorsJson} as wrong`)
  return result.rows[0]?.wrong ?? []
}
