import { nowMs } from '@maestra/client/base/clock'
import { type Login, withConnection } from './connection.js'

/** How long a standby may be without a WAL receiver until it is woken: one that has just started begins by itself. */
const idleMs = 200

/** Wakes a standby, the first time that it is seen to be idle for some time. */
export function wakeOnce(standby: Login): (isIdle: boolean) => Promise<void> {
  let idleSinceMs: number | undefined
  let isWoken = false
  return async (isIdle) => {
    if (isWoken) return
    idleSinceMs = isIdle ? (idleSinceMs ?? nowMs()) : undefined
    if (idleSinceMs === undefined || nowMs() - idleSinceMs < idleMs) return
    isWoken = true
    await wakeStandby(standby)
  }
}

/**
 * @internal
 * Has a standby without a WAL receiver look for its upstream now. After a failed attempt its startup process sleeps for
 * wal_retrieve_retry_interval, 5 s by default; a reload wakes it (StartupProcSigHupHandler). Says whether it was woken: not where
 * a configuration file was written after the server last read them, since nobody decided to load that here.
 */
export async function wakeStandby(login: Login): Promise<boolean> {
  return await withConnection(login, async (client) => {
    const { rowCount } = await client.query(wake)
    return rowCount === 1
  })
}

/** Times of files are cut to seconds there. */
const wake = `
  select pg_reload_conf() where pg_is_in_recovery() and not exists (
    select from (select sourcefile from pg_file_settings
      union select current_setting('hba_file') union select current_setting('ident_file')) as used (file),
      pg_stat_file(file, true) as stat
    where stat.modification > pg_conf_load_time())`
