import type { Tablespace } from '../cluster/tablespace.js'
import { type Login, withConnection } from './connection.js'

/** As JSON: the tablespaces that are elsewhere. One inside the data directory, which 15 and later can make, is copied like any file. */
export const tablespacesJson = `(
  select coalesce(json_agg(json_build_object('name', spcname, 'location', pg_tablespace_location(oid)) order by spcname), '[]')
  from pg_tablespace where pg_tablespace_location(oid) like '/%')`

export async function tablespacesOf(login: Login): Promise<readonly Tablespace[]> {
  return await withConnection(login, async (client) => {
    const { rows } = await client.query<{ seen: readonly Tablespace[] }>(`select ${tablespacesJson} as seen`)
    return rows[0]?.seen ?? []
  })
}
