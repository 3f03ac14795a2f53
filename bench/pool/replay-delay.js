// @ts-check
import { ask } from './servers.js'

/**
 * Has a replica replay commits so many milliseconds after they were made. Not while something is measured: each of its processes reads
 * its configuration anew, with the next statement. @param {string} url @param {number} delayMs
 */
export async function delayReplay(url, delayMs) {
  await ask(url, `alter system set recovery_min_apply_delay = ${delayMs}`)
  await ask(url, 'select pg_reload_conf()')
}
