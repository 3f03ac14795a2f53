import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
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
  it('hands out copies until it reads into the memory of somebody else', async () => {
    const kept = [await heard('one'), await heard('two')]
    expect(kept.map(String)).toEqual(['one', 'two'])
    const memory = Buffer.alloc(100)
    const pushed: string[] = []
    let filled = 0
    socket.lendTo({
      room: () => memory.subarray(filled),
      took: (bytes) => {
        filled += bytes
      },
      push: (chunk) => pushed.push(String(chunk)),
    })
    peer.write('six')
    await vi.waitFor(() => expect(pushed).toEqual(['six']))
    peer.write('seven')
    await vi.waitFor(() => expect(filled).toBe(5))
    peer.write('ten')
    await vi.waitFor(() => expect(filled).toBe(8))
    expect({ pushed, read: memory.toString('latin1', 0, filled) }).toEqual({ pushed: ['six'], read: 'seventen' })
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
