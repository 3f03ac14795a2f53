import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import { MaestraError } from '@maestra/client/base/error'
import type pg from 'pg'
import type { Account, Host } from '../host/host.js'
import { type Login, withConnection } from './connection.js'
import { waitingSettings } from './pending-restart.js'
import { reloadServer } from './postmaster.js'
import { sessionRefusal } from './session-refusal.js'
import { forgetSettingsBefore, putSettingsBack, settingsBefore } from './settings-before.js'

const reloadTimeoutMs = 10_000

export type ReloadOptions = {
  readonly node: string
  readonly data: string
  readonly account: Account
  /** Where what is declared can be corrected. */
  readonly clusterFile: string
}

/**
 * Has the server load its files. Where it lets nobody in from then on and settings of before are kept, these are put back and
 * loaded: an error all the same, which says so. Not interrupted: a lock-out could only be taken back by hand.
 */
export async function reloadOrPutBack(host: Host, options: ReloadOptions, login: Login): Promise<void> {
  // On one connection of before the reload, which does not notice when new ones are turned away.
  await withConnection(login, async (client) => {
    await loadFiles(host, options, client)
    const refusal = await sessionRefusal(login)
    if (refusal !== undefined) await loadOld(host, options, { client, login, refusal })
    if ((await waitingSettings(client)).length === 0) await forgetSettingsBefore(host, options.data)
  })
}

type LockedOut = { readonly client: pg.Client; readonly login: Login; readonly refusal: string }

/** Always throws: the settings that were to come in did not. */
async function loadOld(host: Host, options: ReloadOptions, { client, login, refusal }: LockedOut): Promise<never> {
  const { node, data, account, clusterFile } = options
  const before = await settingsBefore(host, data)
  if (before === undefined) throw stillLockedOut(options, `${refusal}; no settings of before are kept`)
  await putSettingsBack(host, data, account, before)
  await loadFiles(host, options, client)
  const still = await sessionRefusal(login)
  if (still !== undefined)
    throw stillLockedOut(options, `${refusal}; with its settings of before, which are back: ${still}`)
  await forgetSettingsBefore(host, data)
  throw new MaestraError(
    'setting-rejected',
    `${node} lets nobody in with what is declared: ${refusal}; it runs with its settings of before`,
    { hint: `correct it in ${clusterFile}` },
  )
}

function stillLockedOut({ node, data }: ReloadOptions, because: string): MaestraError {
  return new MaestraError('setting-rejected', `${node} lets nobody in since it has loaded its files: ${because}`, {
    hint: `correct the configuration files in ${data}, then have it load them: pg_ctl reload -D ${data}`,
  })
}

async function loadFiles(host: Host, { node, data }: ReloadOptions, client: pg.Client): Promise<void> {
  const before = await loadTime(client)
  await reloadServer(host, { node, data })
  await waitUntil(
    async () => {
      const now = await loadTime(client)
      return now === before ? { done: false, seen: `loaded at ${now}` } : { done: true, value: undefined }
    },
    { awaited: `${node} to load its configuration again`, deadline: Deadline.after(reloadTimeoutMs) },
  )
}

async function loadTime(client: pg.Client): Promise<string> {
  const result = await client.query<{ at: string }>('select pg_conf_load_time()::text as at')
  return result.rows[0]?.at ?? ''
}
