import type { Tablespace } from '../cluster/tablespace.js'
import { type Login, withConnection } from './connection.js'

/**
 * As JSON: the tablespaces that are elsewhere. One inside the data directory, which 15 and later can make, is copied like any file.
 * Where a directory is missing, PostgreSQL cannot say which, and the whole question would fail.
 */
export const tablespacesJson = `(
  select coalesce(json_agg(json_build_object('name', spcname, 'location', location) order by spcname), '[]')
  from (select spcname, case
      when spcname in ('pg_default', 'pg_global') then ''
      when (pg_stat_file('pg_tblspc/' || oid, true)).isdir then pg_tablespace_location(oid)
      else '/ (its directory is missing)' end as location
    from pg_tablespace) as spaces
  where location like '/%')`

export async function tablespacesOf(login: Login): Promise<readonly Tablespace[]> {
  return await withConnection(login, async (client) => {
    const { rows } = await client.query<{ seen: readonly Tablespace[] }>(`select ${tablespacesJson} as seen`)
    return rows[0]?.seen ?? []
  })
}
