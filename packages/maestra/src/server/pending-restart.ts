import type pg from 'pg'
import { settingsFile } from '../cluster/node-configuration.js'

/**
 * JSON arrays of the settings that the files on the disk change and only a restart does. A backend knows of files that were
 * not loaded yet when it has looked into pg_file_settings, so that has to be asked before.
 */
export const pendingRestartJson = `(select coalesce(json_agg(name order by name), '[]') from pg_settings where pending_restart)`

/** Those whose present value comes from Maestra's settings file. */
export const pendingOfMaestraJson = `(select coalesce(json_agg(name order by name), '[]') from pg_settings
  where pending_restart and sourcefile like '%/${settingsFile}')`

/** Settings that wait for a restart, as far as Maestra's settings file tells them or told them. */
export async function waitingSettings(client: pg.Client): Promise<readonly string[]> {
  const { rows } = await client.query<{ told: readonly string[]; pending: readonly string[]; own: readonly string[] }>(
    `select
       (select coalesce(json_agg(lower(name)), '[]') from pg_file_settings where sourcefile like '%/${settingsFile}') as told,
       ${pendingRestartJson} as pending, ${pendingOfMaestraJson} as own`,
  )
  const { told = [], pending = [], own = [] } = rows[0] ?? {}
  return pending.filter((name) => told.includes(name) || own.includes(name))
}
