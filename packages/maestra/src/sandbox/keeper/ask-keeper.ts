import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { MaestraError, messageOf } from '@maestra/client/base/error'
import type { SandboxRecord } from '../sandbox-record.js'
import type { KeeperAnswer, KeeperEnvelope, KeeperLink, KeeperRequest } from './keeper-request.js'

const timeoutMs = 10_000

/** Asks the keeper of a sandbox; what its links are then. */
export async function askKeeper(record: SandboxRecord, request: KeeperRequest): Promise<readonly KeeperLink[]> {
  const answer = await exchange(record, request).catch((error) => {
    throw new MaestraError(
      'keeper-gone',
      `the keeper of sandbox ${record.name}, which carries the bytes of its replicas, does not answer: ${messageOf(error)}`,
      { cause: error, hint: `start it again: maestra sandbox start --name ${record.name}` },
    )
  })
  if (answer.ok) return answer.links
  throw new MaestraError('bad-usage', `sandbox ${record.name}: ${answer.error}`)
}

async function exchange({ keeper }: SandboxRecord, request: KeeperRequest): Promise<KeeperAnswer> {
  const signal = AbortSignal.timeout(timeoutMs)
  const socket = connect({ host: '127.0.0.1', port: keeper.port, signal })
  try {
    await once(socket, 'connect', { signal })
    const envelope: KeeperEnvelope = { token: keeper.token, request }
    socket.write(`${JSON.stringify(envelope)}\n`)
    return JSON.parse(await text(socket)) as KeeperAnswer
  } finally {
    socket.destroy()
  }
}
