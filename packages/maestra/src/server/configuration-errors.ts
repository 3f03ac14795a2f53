import type pg from 'pg'

/**
 * A JSON array of what a running server finds wrong with its configuration files as they are on the disk, whether it has
 * read them or not: `file:line: name: error`. What only waits for a restart is not wrong; of a setting that is gone from all
 * files PostgreSQL says so without a file. One bad line of pg_hba.conf keeps
 * all of that file from being read.
 */
export const configurationErrorsJson = `(select coalesce(json_agg(text), '[]') from (
  select f.sourcefile || ':' || f.sourceline || ': ' || coalesce(f.name || ': ', '') || f.error as text
  from pg_file_settings f left join pg_settings s on lower(s.name) = lower(f.name)
  where f.error is not null and f.sourcefile is not null and (s.context is null or s.context not in ('postmaster', 'internal'))
  union all
  select 'pg_hba.conf:' || line_number || ': ' || error from pg_hba_file_rules where error is not null) wrong)`

/** What is wrong with the configuration files as they are on the disk now. */
export async function configurationErrors(client: pg.Client): Promise<readonly string[]> {
  const result = await client.query<{ wrong: readonly string[] }>(`select ${configurationErrorsJson} as wrong`)
  return result.rows[0]?.wrong ?? []
}
