import { MaestraError } from '@maestra/client/base/error'
import type { Host } from '../host/host.js'
import type { Login } from './connection.js'
import { type StartOptions, startServer, stopServer } from './postmaster.js'
import { sessionRefusal } from './session-refusal.js'
import { forgetSettingsBefore, putSettingsBack, settingsBefore } from './settings-before.js'
import { startLogOf } from './start-log.js'

/**
 * Starts the server. Where it ends instead, or lets nobody in, and settings of before are kept, these are put back and it is
 * started with them: an error all the same, which says so.
 */
export async function startOrPutBack(host: Host, options: StartOptions, login: Login): Promise<void> {
  const { data, account } = options
  const before = await settingsBefore(host, data)
  try {
    await startServer(host, options)
    if (before !== undefined) await stopUnlessOpen(host, options, login)
  } catch (error) {
    if (!hasEnded(error) || before === undefined) throw error
    await putSettingsBack(host, data, account, before)
    await startWithOld(host, options, error)
  }
  await forgetSettingsBefore(host, data)
}

/** A server that nobody can log in to is as good as none. */
async function stopUnlessOpen(host: Host, { node, data }: StartOptions, login: Login): Promise<void> {
  const refusal = await sessionRefusal(login)
  if (refusal === undefined) return
  await stopServer(host, { node, data })
  throw new MaestraError('server-did-not-start', `${node} started and let nobody in: ${refusal}`)
}

/** Always throws: the settings that were to come in did not. Not interrupted, for the server would stay down. */
async function startWithOld(host: Host, options: StartOptions, first: MaestraError): Promise<never> {
  const { node, data, account, binaries } = options
  const log = startLogOf(data)
  await startServer(host, { node, data, account, binaries }).catch((second) => {
    if (!hasEnded(second)) throw second
    throw new MaestraError(
      'server-did-not-start',
      `${node} is down: with the declared settings, ${first.message}; with its settings of before, which are back, ${second.message}`,
      { hint: `see the end of ${log}; when nothing is in its way: maestra apply`, cause: second },
    )
  })
  await forgetSettingsBefore(host, data)
  throw new MaestraError('server-did-not-start', `${first.message}; it runs again with its settings of before`, {
    hint: `correct what is declared for ${node}, or what it misses; see ${log}`,
    cause: first,
  })
}

function hasEnded(error: unknown): error is MaestraError {
  return error instanceof MaestraError && error.code === 'server-did-not-start'
}
