import { timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { messageOf } from '@maestra/client/base/error'
import type { KeeperAnswer, KeeperEnvelope, KeeperRequest } from './keeper-request.js'

/** Far more than any request; whoever sends more is not one of ours. */
const longestRequest = 10_000

/** Takes requests on a port of the loopback address, from whoever knows the token. */
export async function openControlDoor(
  options: { readonly port: number; readonly token: string },
  answer: (request: KeeperRequest) => Promise<KeeperAnswer>,
): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', () => {
      if (socket.bytesRead > longestRequest) socket.destroy()
    })
    createInterface({ input: socket }).once('line', (line) => {
      void reply(socket, line, options.token, answer)
    })
  })
  server.listen({ host: '127.0.0.1', port: options.port, exclusive: true })
  await once(server, 'listening')
}

async function reply(
  socket: Socket,
  line: string,
  token: string,
  answer: (request: KeeperRequest) => Promise<KeeperAnswer>,
): Promise<void> {
  const request = requestIn(line, token)
  if (request === undefined) {
    socket.destroy()
    return
  }
  const given = await answer(request).catch((error): KeeperAnswer => ({ ok: false, error: messageOf(error) }))
  socket.end(`${JSON.stringify(given)}\n`)
}

/** Undefined without the right token. */
function requestIn(line: string, token: string): KeeperRequest | undefined {
  try {
    const envelope = JSON.parse(line) as Partial<KeeperEnvelope>
    const [given, wanted] = [Buffer.from(String(envelope.token)), Buffer.from(token)]
    return given.length === wanted.length && timingSafeEqual(given, wanted) ? envelope.request : undefined
  } catch {
    return undefined
  }
}
