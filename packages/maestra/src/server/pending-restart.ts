import type pg from 'pg'
import { settingsFile } from '../cluster/node-configuration.js'

/**
 * Whether the files on the disk change a setting that only a restart changes. A backend knows of files that were not loaded
 * yet when it has looked into pg_file_settings, so that has to be asked before. Until its next restart a server goes on
 * saying so of a line that was loaded and taken out again: then no file has it, and no file had it when the server started.
 */
const waits = `(pending_restart and (sourcefile is not null or name in (select lower(f.name) from pg_file_settings f)))`

const ofMaestra = `coalesce(sourcefile like '%/${settingsFile}', false)`

/** A JSON array of the settings that the next restart changes. */
export const pendingRestartJson = `(select coalesce(json_agg(name order by name), '[]') from pg_settings where ${waits})`

/** What a server runs with of all settings that only a restart changes, by name. */
export const startedWithJson = `(select json_object_agg(name,
    json_build_object('value', current_setting(name), 'ofMaestra', ${ofMaestra}) order by name)
  from pg_settings where context in ('postmaster', 'internal'))`

/** Settings that wait for a restart, as far as Maestra's settings file tells them or told them. */
export async function waitingSettings(client: pg.Client): Promise<readonly string[]> {
  const { rows } = await client.query<{ told: readonly string[]; pending: readonly string[]; own: readonly string[] }>(
    `select
       (select coalesce(json_agg(lower(name)), '[]') from pg_file_settings where sourcefile like '%/${settingsFile}') as told,
       ${pendingRestartJson} as pending,
       (select coalesce(json_agg(name), '[]') from pg_settings where ${waits} and ${ofMaestra}) as own`,
  )
  const { told = [], pending = [], own = [] } = rows[0] ?? {}
  return pending.filter((name) => told.includes(name) || own.includes(name))
}
