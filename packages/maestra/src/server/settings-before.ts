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

/** What is kept; undefined when nothing is that could be put back: another node's, from a copy of its directory, is not. */
export async function settingsBefore(host: Host, data: string): Promise<string | undefined> {
  const before = await host.files.readText(join(data, beforeFile))
  if (before === undefined) return undefined
  const present = (await host.files.readText(join(data, settingsFile))) ?? ''
  return nodeOf(before) === nodeOf(present) ? before : undefined
}

function nodeOf(settings: string): string | undefined {
  return settingsOf(settings)[nodeSetting]
}
