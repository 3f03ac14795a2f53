import type { CopyObservation } from '../cluster/observation.js'
import { type Login, withConnection } from './connection.js'

/** How much a copy of a primary would carry, and how fast WAL is written there. Undefined when it does not say in time. */
export async function observeCopy(primary: Login): Promise<CopyObservation | undefined> {
  try {
    return await withConnection(primary, async (client) => {
      const { rows } = await client.query<{ seen: CopyObservation }>(question)
      return rows[0]?.seen
    })
  } catch {
    return undefined
  }
}

const question = `
  select json_build_object(
    'dataBytes', (select sum(pg_database_size(oid))::float8 from pg_database),
    'walBytes', wal_bytes::float8,
    'walMs', coalesce(extract(epoch from clock_timestamp() - stats_reset) * 1000, 0)::float8
  ) as seen from pg_stat_wal`
