import { MaestraError, messageOf } from '@maestra/client/base/error'
import { connect, errorCodeOf, type Login } from './connection.js'

/** A new connection is told who may come in, or that there is no room or nobody yet: of the settings that says nothing. */
const saysNothing = /^(?:28...|53300|57P03|ECONNREFUSED)$/

/**
 * Why no new session can begin, for example since a library that is loaded for each is not there; undefined when one can.
 * Connections that are open already do not notice.
 */
export async function sessionRefusal({ kept: _kept, ...login }: Login): Promise<string | undefined> {
  try {
    const client = await connect(login)
    await client.end().catch(() => {})
    return undefined
  } catch (error) {
    if (error instanceof MaestraError && error.code === 'password-missing') return undefined
    if (saysNothing.test(errorCodeOf(error) ?? '')) return undefined
    return messageOf(error instanceof MaestraError ? (error.cause ?? error) : error)
  }
}
