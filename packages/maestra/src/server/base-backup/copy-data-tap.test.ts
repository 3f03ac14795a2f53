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

/** What a tap hands on, whose chunks lie in memory that is used again. */
function tapped(stream: Buffer, chunkBytes: number): readonly Seen[] {
  const seen: Seen[] = []
  const tap = new CopyDataTap(
    (content) => seen.push({ type: 'd', content: Buffer.from(content) }),
    (other) => seen.push({ type: other.toString('latin1', 0, 1), content: other.subarray(5) }),
  )
  const lent = Buffer.alloc(chunkBytes)
  for (let at = 0; at < stream.length; at += chunkBytes) {
    const length = stream.copy(lent, 0, at)
    tap.push(lent.subarray(0, length))
    lent.fill(0xee)
  }
  return seen
}

describe('CopyDataTap', () => {
  it('hands on whole messages in their order, however the stream is cut', () => {
    const anyMessage = fc.record({
      type: fc.constantFrom('d', 'd', 'C', 'Z'),
      content: fc.uint8Array({ maxLength: 40 }),
    })
    fc.assert(
      fc.property(fc.array(anyMessage), fc.integer({ min: 1, max: 60 }), (messages, chunkBytes) => {
        const stream = Buffer.concat(messages.map(({ type, content }) => message(type, content)))
        const sent = messages.map(({ type, content }) => ({ type, content: Buffer.from(content) }))
        expect(tapped(stream, chunkBytes)).toEqual(sent)
      }),
    )
  })

  it('puts together what is larger than any chunk', () => {
    const content = Buffer.from(Array.from({ length: 300_000 }, (_, at) => at % 251))
    const stream = Buffer.concat([message('d', content), message('d', Buffer.from('x'))])
    const [large, small] = tapped(stream, 10_000)
    expect(large?.content.equals(content)).toBe(true)
    expect(small).toEqual({ type: 'd', content: Buffer.from('x') })
  })

  it('copies nothing of a message that lies whole in a chunk', () => {
    const chunk = Buffer.concat([message('d', Buffer.from('one')), message('d', Buffer.from('two'))])
    const handed: Buffer[] = []
    new CopyDataTap(
      (content) => handed.push(content),
      () => {},
    ).push(chunk)
    chunk.fill('z')
    expect(handed.map(String)).toEqual(['zzz', 'zzz'])
  })
})

describe('tapCopyData', () => {
  it('leaves to the parser all but the CopyData', () => {
    const socket = new PassThrough()
    const parsed: string[] = []
    const copied: string[] = []
    socket.on('data', (chunk: Buffer) => parsed.push(chunk.toString('latin1', 0, 1)))
    tapCopyData(socket, (content) => copied.push(String(content)))
    socket.emit('data', Buffer.concat([message('T', Buffer.from('row')), message('d', Buffer.from('data'))]))
    expect({ parsed, copied }).toEqual({ parsed: ['T'], copied: ['data'] })
  })

  it('leaves everything to a socket that is listened to in another way', () => {
    const socket = new PassThrough()
    const parsed: string[] = []
    for (const name of ['one', 'two']) socket.on('data', () => parsed.push(name))
    tapCopyData(socket, () => parsed.push('tap'))
    socket.emit('data', message('d', Buffer.from('data')))
    expect(parsed).toEqual(['one', 'two'])
  })
})
