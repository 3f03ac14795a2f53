import { PassThrough } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CopyDataTap, tapCopyData } from './copy-data-tap.js'

function message(type: string, content: Uint8Array): Buffer {
  const header = Buffer.alloc(5)
  header.write(type)
  header.writeUInt32BE(4 + content.length, 1)
  return Buffer.concat([header, content])
}

type Seen = { readonly type: string; readonly content: Buffer }

type Way = 'read' | 'pushed'

/** What a tap hands on, looked at when all has come: read where the tap wants it, or pushed from memory that is used again. */
function tapped(stream: Buffer, chunkBytes: number, way: Way): readonly Seen[] {
  const seen: Seen[] = []
  const tap = new CopyDataTap({
    onCopyData: (content) => seen.push({ type: 'd', content }),
    onOther: (other) => seen.push({ type: other.toString('latin1', 0, 1), content: other.subarray(5) }),
    // So that no memory is used again.
    settled: () => new Promise(() => {}),
  })
  const lent = Buffer.alloc(chunkBytes)
  for (let at = 0; at < stream.length; ) {
    const memory = way === 'read' ? tap.room().subarray(0, chunkBytes) : lent
    const length = stream.copy(memory, 0, at)
    at += length
    if (way === 'read') tap.took(length)
    else tap.push(lent.subarray(0, length))
    lent.fill(0xee)
  }
  return seen
}

describe.each<Way>(['read', 'pushed'])('CopyDataTap, of what is %s', (way) => {
  it('hands on whole messages in their order, however the stream is cut', () => {
    const anyMessage = fc.record({
      type: fc.constantFrom('d', 'd', 'C', 'Z'),
      content: fc.uint8Array({ maxLength: 40 }),
    })
    fc.assert(
      fc.property(fc.array(anyMessage), fc.integer({ min: 1, max: 60 }), (messages, chunkBytes) => {
        const stream = Buffer.concat(messages.map(({ type, content }) => message(type, content)))
        const sent = messages.map(({ type, content }) => ({ type, content: Buffer.from(content) }))
        expect(tapped(stream, chunkBytes, way)).toEqual(sent)
      }),
    )
  })

  it.each([30_000, 300_000, 3_000_000])('puts together messages of %i bytes, many segments long', (length) => {
    const contents = Array.from({ length: Math.ceil(7_000_000 / length) }, (_, seed) =>
      Buffer.from(Uint8Array.from({ length }, (__, at) => (at + seed) % 251)),
    )
    const stream = Buffer.concat(contents.map((content) => message('d', content)))
    const seen = tapped(stream, 100_003, way)
    expect(seen.length).toBe(contents.length)
    for (const [index, content] of contents.entries()) expect(seen[index]?.content.equals(content)).toBe(true)
  })
})

describe('CopyDataTap', () => {
  it('copies nothing of a message that is whole where it was read', () => {
    const handed: Buffer[] = []
    const tap = new CopyDataTap({
      onCopyData: (content) => handed.push(content),
      onOther: () => {},
      settled: async () => {},
    })
    const room = tap.room()
    tap.took(Buffer.concat([message('d', Buffer.from('one')), message('d', Buffer.from('two'))]).copy(room))
    room.fill('z')
    expect(handed.map(String)).toEqual(['zzz', 'zzz'])
  })

  it('reads into the same memory again once that is settled, and not before', async () => {
    const rooms = new Set<ArrayBufferLike | number>()
    let settle = (): void => {}
    let settled = new Promise<void>((resolve) => {
      settle = resolve
    })
    const tap = new CopyDataTap({ onCopyData: () => {}, onOther: () => {}, settled: () => settled })
    const addresses: string[] = []
    const readMebibytes = async (count: number): Promise<void> => {
      for (let read = 0; read < count * 1024 * 1024; ) {
        const room = tap.room()
        addresses.push(`${[...rooms.add(room.buffer)].indexOf(room.buffer)}:${room.byteOffset}`)
        tap.took(message('d', Buffer.alloc(65_000)).copy(room))
        read += 65_005
        await Promise.resolve()
      }
    }
    await readMebibytes(30)
    expect(new Set(addresses).size).toBe(addresses.length)
    settle()
    settled = Promise.resolve()
    await readMebibytes(1)
    const before = new Set(addresses)
    await readMebibytes(30)
    expect(new Set(addresses).size - before.size).toBeLessThan(20)
  })
})

describe('tapCopyData', () => {
  it('leaves to the parser all but the CopyData', () => {
    const socket = new PassThrough()
    const parsed: string[] = []
    const copied: string[] = []
    socket.on('data', (chunk: Buffer) => parsed.push(chunk.toString('latin1', 0, 1)))
    tapCopyData(socket, { onCopyData: (content) => copied.push(String(content)), settled: async () => {} })
    socket.emit('data', Buffer.concat([message('T', Buffer.from('row')), message('d', Buffer.from('data'))]))
    expect({ parsed, copied }).toEqual({ parsed: ['T'], copied: ['data'] })
  })

  it('leaves everything to a socket that is listened to in another way', () => {
    const socket = new PassThrough()
    const parsed: string[] = []
    for (const name of ['one', 'two']) socket.on('data', () => parsed.push(name))
    tapCopyData(socket, { onCopyData: () => parsed.push('tap'), settled: async () => {} })
    socket.emit('data', message('d', Buffer.from('data')))
    expect(parsed).toEqual(['one', 'two'])
  })
})
