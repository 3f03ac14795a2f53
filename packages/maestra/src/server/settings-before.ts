import { join } from 'node:path'
import { settingsOf } from '@maestra/client/postgres/conf'
import { nodeSetting, settingsFile } from '../cluster/node-configuration.js'
import type { Account, Host } from '../host/host.js'

/** Where the settings stand that a server last ran with, until it works with newer ones and lets clients in. */
const beforeFile = 'maestra.before.conf'

/** Keeps Maestra's settings file as it is, to be put back when the server does not start, or lets nobody in, with the next one. */
export async function keepSettings(host: Host, data: string, account: Account): Promise<void> {
  // Kept already, the present ones were never started with.
  if ((await settingsBefore(host, data)) !== undefined) return
  const present = await host.files.readText(join(data, settingsFile))
  if (present !== undefined) await host.files.write(join(data, beforeFile), present, { mode: 0o600, owner: account })
}

/** Puts kept settings back in their place. */
export async function putSettingsBack(host: Host, data: string, account: Account, before: string): Promise<void> {
  await host.files.write(join(data, settingsFile), before, { mode: 0o600, owner: account })
}

/** The server works with what came after it: what was kept is needed no more. */
export async function forgetSettingsBefore(host: Host, data: string): Promise<void> {
  await host.files.removeFile(join(data, beforeFile))
}

/**
 * What is kept; undefined when nothing is that could be put back: neither another node's, from a copy of its directory, nor
 * what is older than the server's last start. That start was with newer ones, and by whom nobody knows.
 */
export async function settingsBefore(host: Host, data: string): Promise<string | undefined> {
  const before = await host.files.readText(join(data, beforeFile))
  if (before === undefined || (await isStale(host, data))) return undefined
  const present = (await host.files.readText(join(data, settingsFile))) ?? ''
  return nodeOf(before) === nodeOf(present) ? before : undefined
}

/** A server writes postmaster.opts when it starts, and never again. */
async function isStale(host: Host, data: string): Promise<boolean> {
  const [kept, started] = await Promise.all(
    [beforeFile, 'postmaster.opts'].map((name) => host.files.stat(join(data, name))),
  )
  return kept !== undefined && started !== undefined && kept.mtimeMs < started.mtimeMs
}

function nodeOf(settings: string): string | undefined {
  return settingsOf(settings)[nodeSetting]
}
