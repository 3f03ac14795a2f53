import { MaestraError } from '@maestra/client/base/error'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TarReader } from './tar-reader.js'

type Entry = { path: string; type?: string; mode?: number; link?: string; content?: Buffer; size?: number }

const zeroes = Buffer.alloc(1024)

/**
 * A header as PostgreSQL's tarCreateHeader writes it: octal numbers with a trailing space, base 256 when they do not
 * fit.
 */
function header({ path, type = '0', mode = 0o600, link = '', content = Buffer.alloc(0), size }: Entry): Buffer {
  const block = Buffer.alloc(512)
  block.write(path, 0)
  number(block, 100, 8, mode)
  number(block, 108, 8, 65534)
  number(block, 116, 8, 65534)
  number(block, 124, 12, size ?? content.length)
  number(block, 136, 12, 1_790_000_000)
  block.write(type, 156)
  block.write(link, 157)
  block.write('ustar\x0000postgres', 257)
  block.write('postgres', 297)
  return sealed(block)
}

function number(block: Buffer, at: number, length: number, value: number): void {
  if (value < 8 ** (length - 1)) {
    block.write(`${value.toString(8).padStart(length - 1, '0')} `, at)
  } else {
    block[at] = 0x80
    block.writeBigUInt64BE(BigInt(value), at + length - 8)
  }
}

function sealed(block: Buffer): Buffer {
  block.fill(' ', 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(7, '0')} `, 148)
  return block
}

function archive(entries: readonly Entry[], end: Buffer = zeroes): Buffer {
  const parts = entries.flatMap((entry) => {
    const content = entry.content ?? Buffer.alloc(0)
    return [header(entry), content, Buffer.alloc((512 - (content.length % 512)) % 512)]
  })
  return Buffer.concat([...parts, end])
}

/** What the reader says of the chunks, with the content of each file put together. */
function read(chunks: readonly Buffer[], options: { end: boolean } = { end: true }): unknown[] {
  const events: unknown[] = []
  let content: Buffer[] = []
  const reader = new TarReader({
    directory: (path, mode) => events.push(['directory', path, mode]),
    symbolicLink: (path, target) => events.push(['link', path, target]),
    beginFile: (path, mode, size) => {
      content = []
      events.push(['file', path, mode, size])
    },
    content: (chunk) => content.push(chunk),
    endFile: () => events.push(['end', Buffer.concat(content).toString('latin1')]),
  })
  for (const chunk of chunks) reader.push(chunk)
  if (options.end) reader.end()
  return events
}

function failureOf(bytes: Buffer): MaestraError {
  try {
    read([bytes])
  } catch (error) {
    if (error instanceof MaestraError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

const dataDirectory = [
  { path: 'backup_label', content: Buffer.from('START WAL LOCATION') },
  { path: 'base/', type: '5', mode: 0o700 },
  { path: './pg_wal/archive_status/', type: '5', mode: 0o750 },
  { path: 'pg_tblspc/16384/', type: '2', link: '/srv/space' },
  { path: 'base/empty' },
  { path: 'base/1259', mode: 0o640, content: Buffer.alloc(1024, 'x') },
] satisfies Entry[]

describe('TarReader', () => {
  it('reads files, directories and links as PostgreSQL writes them', () => {
    expect(read([archive(dataDirectory)])).toEqual([
      ['file', 'backup_label', 0o600, 18],
      ['end', 'START WAL LOCATION'],
      ['directory', 'base', 0o700],
      ['directory', 'pg_wal/archive_status', 0o750],
      ['link', 'pg_tblspc/16384', '/srv/space'],
      ['file', 'base/empty', 0o600, 0],
      ['end', ''],
      ['file', 'base/1259', 0o640, 1024],
      ['end', 'x'.repeat(1024)],
    ])
  })

  it('says the same however the bytes are split', () => {
    const entry = fc.record({
      path: fc.stringMatching(/^[a-z0-9_]{1,20}$/),
      content: fc.uint8Array({ maxLength: 1600 }).map((bytes) => Buffer.from(bytes)),
    })
    const splits = fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 6 }), splits, (entries, lengths) => {
        const bytes = archive([...dataDirectory, ...entries])
        const chunks: Buffer[] = []
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const length = lengths[i % lengths.length] ?? 1
          chunks.push(bytes.subarray(at, at + length))
          at += length
        }
        expect(read(chunks)).toEqual(read([bytes]))
      }),
    )
  })

  it('gives content as views into what was pushed', () => {
    const bytes = archive([{ path: 'a', content: Buffer.alloc(100, 'a') }])
    const buffers: ArrayBufferLike[] = []
    const nothing = (): void => {}
    new TarReader({
      directory: nothing,
      symbolicLink: nothing,
      beginFile: nothing,
      content: (chunk) => buffers.push(chunk.buffer),
      endFile: nothing,
    }).push(bytes)
    expect(buffers).toEqual([bytes.buffer])
  })

  it('reads sizes from 8 GiB on, which come in base 256', () => {
    const size = 9 * 1024 ** 3
    const begin = header({ path: 'base/5/16400', size })
    expect(read([begin, Buffer.alloc(1)], { end: false })).toEqual([['file', 'base/5/16400', 0o600, size]])
  })

  it('takes an archive without an end mark, as PostgreSQL 14 sends it', () => {
    expect(read([archive(dataDirectory, Buffer.alloc(0))])).toEqual(read([archive(dataDirectory)]))
  })

  it('refuses an archive that is cut anywhere but between two entries', () => {
    const whole = archive(dataDirectory, Buffer.alloc(0))
    // Headers and padded contents in their order: places where an archive without an end mark may end.
    const betweenEntries = new Set([0, 1024, 1536, 2048, 2560, 3072, 4608])
    expect(whole.length).toBe(4608)
    for (let length = 0; length < whole.length; length += 64) {
      if (betweenEntries.has(length)) continue
      expect(failureOf(whole.subarray(0, length)).code, `${length} bytes`).toBe('base-backup-failed')
    }
    expect(failureOf(whole.subarray(0, 4000)).message).toBe(
      'the archive that the server sent ends 608 bytes before the end of base/1259',
    )
  })

  it('refuses half an end mark, and entries behind one', () => {
    expect(failureOf(archive(dataDirectory, Buffer.alloc(512))).message).toMatch(/in the middle of its end mark/)
    const longer = Buffer.concat([archive(dataDirectory), archive([{ path: 'more' }])])
    expect(failureOf(longer).message).toMatch(/goes on behind its end mark, after base\/1259/)
  })

  it('refuses a header in which any bit is turned', () => {
    const bytes = archive([{ path: 'base/1259', content: Buffer.from('content') }])
    for (let at = 0; at < 512; at++) {
      // The checksum's own digits: a leading zero that becomes a space says the same number.
      if (at >= 148 && at < 156) continue
      for (let bit = 0; bit < 8; bit++) {
        const turned = Buffer.from(bytes)
        turned[at] = (turned[at] ?? 0) ^ (1 << bit)
        expect(failureOf(turned).code).toBe('base-backup-failed')
      }
    }
  })

  it('names the last good entry when a header is damaged', () => {
    const damaged = sealed(header({ path: 'base/2' }))
    damaged[0] = 0
    const bytes = Buffer.concat([archive([{ path: 'base/1' }], Buffer.alloc(0)), damaged])
    expect(failureOf(bytes).message).toBe(
      'the archive that the server sent has a header with a wrong checksum, after base/1',
    )
  })

  it('refuses entries of other types, and content of what is no file', () => {
    expect(failureOf(archive([{ path: 'pipe', type: '6' }])).message).toMatch(
      /pipe as an entry of the unknown type "6"/,
    )
    expect(failureOf(archive([{ path: 'base', type: '5', content: Buffer.from('x') }])).message).toMatch(
      /content of 1 byte/,
    )
  })

  it('refuses a name that is not UTF-8, as no file could get that name back', () => {
    const block = header({ path: 'name' })
    block[1] = 0xff
    expect(failureOf(Buffer.concat([sealed(block), zeroes])).message).toBe(
      'a file name is not UTF-8 and cannot be copied: nÿme',
    )
  })
})
