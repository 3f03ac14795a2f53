import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LendingSocket } from './lending-socket.js'

let server: Server
let peer: Socket
let socket: LendingSocket

beforeEach(async () => {
  server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  socket = LendingSocket.make()
  socket.connect((server.address() as AddressInfo).port, '127.0.0.1')
  ;[peer] = (await once(server, 'connection')) as [Socket]
})

afterEach(() => {
  socket.destroy()
  peer.destroy()
  server.close()
})

/** The next chunk, as it was handed over. */
async function heard(text: string): Promise<Buffer> {
  peer.write(text)
  const [chunk] = (await once(socket, 'data')) as [Buffer]
  return chunk
}

describe('LendingSocket', () => {
  it('hands out copies until it lends', async () => {
    const kept = [await heard('one'), await heard('two')]
    expect(kept.map(String)).toEqual(['one', 'two'])
    socket.lend()
    const lent = [await heard('six'), await heard('ten')]
    expect(lent.map(String)).toEqual(['ten', 'ten'])
    expect(kept.map(String)).toEqual(['one', 'two'])
  })

  it('hands out nothing while it is paused, and everything in the end', async () => {
    const content = Buffer.alloc(5_000_000, 'abcdefg')
    const chunks: Buffer[] = []
    let whilePaused = 0
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      if (socket.isPaused()) whilePaused += 1
      socket.pause()
      setImmediate(() => socket.resume())
    })
    peer.end(content)
    await once(socket, 'end')
    expect(whilePaused).toBe(0)
    expect(Buffer.concat(chunks).equals(content)).toBe(true)
  })
})
