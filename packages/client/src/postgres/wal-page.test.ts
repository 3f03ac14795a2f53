import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { crc32c } from './crc32c.js'
import { formatLsn, parseLsn } from './lsn.js'
import { endOfRecords, parseWalPageHeader } from './wal-page.js'

const pageBytes = 8192
const segmentBytes = 16 * 1024 * 1024

type Page = { readonly address?: string; readonly remaining?: number; readonly long?: boolean; readonly stale?: Buffer }

/** A page as a server writes it, with records of these lengths; one that does not fit is torn. */
function pageOf(records: readonly (number | 'switch')[], options: Page = {}): Buffer {
  const { address = '0/3002000', remaining = 0, long = false, stale } = options
  const page = stale === undefined ? Buffer.alloc(pageBytes) : Buffer.from(stale)
  page.writeUInt16LE(0xd118, 0)
  page.writeUInt16LE(long ? 2 : 0, 2)
  page.writeUInt32LE(1, 4)
  page.writeBigUInt64LE(parseLsn(address), 8)
  page.writeUInt32LE(remaining, 16)
  let at = (long ? 40 : 24) + Math.ceil(remaining / 8) * 8
  let previous = parseLsn(address) - 64n
  for (const each of records) {
    const record = recordOf(each, previous)
    record.copy(page, at)
    previous = parseLsn(address) + BigInt(at)
    at += Math.ceil(record.length / 8) * 8
  }
  return page
}

function recordOf(kind: number | 'switch', previous: bigint): Buffer {
  const record = Buffer.alloc(kind === 'switch' ? 24 : kind, 7)
  record.writeUInt32LE(record.length, 0)
  record.writeBigUInt64LE(previous, 8)
  record.writeUInt8(kind === 'switch' ? 0x40 : 0, 16)
  record.writeUInt8(kind === 'switch' ? 0 : 10, 17)
  record.writeUInt16LE(0, 18)
  record.writeUInt32LE(crc32c(Buffer.concat([record.subarray(24), record.subarray(0, 20)])), 20)
  return record
}

const endOf = (page: Buffer) => {
  const end = endOfRecords(page, segmentBytes)
  return end === undefined ? undefined : formatLsn(end)
}

describe('parseWalPageHeader', () => {
  it('says which timeline and place in the log a page belongs to', () => {
    expect(parseWalPageHeader(pageOf([], { remaining: 5, long: true }).subarray(0, 24))).toEqual({
      timeline: 1,
      address: parseLsn('0/3002000'),
      remainingBytes: 5,
      headerBytes: 40,
    })
  })

  it.each([
    ['all zeros', Buffer.alloc(24)],
    ['too short', pageOf([]).subarray(0, 23)],
    ['of something else', Buffer.alloc(24, 0x41)],
  ])('is undefined for what is %s', (_words, bytes) => {
    expect(parseWalPageHeader(bytes)).toBeUndefined()
    expect(endOfRecords(bytes, segmentBytes)).toBeUndefined()
  })
})

describe('endOfRecords', () => {
  it.each([
    ['where its only record ends', pageOf([100]), '0/3002080'],
    ['where its last record ends', pageOf([100, 33, 24]), '0/30020C0'],
    ['behind a long header', pageOf([24], { long: true }), '0/3002040'],
    ['where a record of the page before ends', pageOf([], { remaining: 100 }), '0/3002080'],
    ['at its beginning when no record is complete', pageOf([]), '0/3002000'],
    ['before a record that goes on to the next page', pageOf([8000, 500]).subarray(0, pageBytes), '0/3003F58'],
    ['at the end of the segment of a switch', pageOf([100, 'switch']), '0/4000000'],
  ])('is %s', (_words, page, expected) => {
    expect(endOf(page)).toBe(expected)
  })

  it('is unknown where one record covers the page', () => {
    expect(endOf(pageOf([], { remaining: 9000 }))).toBeUndefined()
  })

  it('is where a record is damaged', () => {
    const page = pageOf([100, 200, 300])
    page[24 + 104 + 30] = 8
    expect(endOf(page)).toBe('0/3002080')
  })

  it('does not count what is left from before the segment was used again', () => {
    const stale = pageOf([100, 200, 100, 300], { address: '0/1002000' })
    expect(endOf(pageOf([100, 200], { stale }))).toBe('0/3002148')
  })

  // Of the first record nobody knows which one came before it: the one that is there is taken.
  it('is never beyond what was written, whatever was there before', () => {
    const lengths = (minLength: number) => fc.array(fc.integer({ min: 24, max: 900 }), { minLength, maxLength: 8 })
    fc.assert(
      fc.property(
        lengths(0),
        lengths(1),
        fc.constantFrom('0/1002000', '0/2FFE000', '0/5002000'),
        (before, now, address) => {
          const page = pageOf(now, { stale: pageOf(before, { address }) })
          expect(endOf(page)).toBe(endOf(pageOf(now)))
        },
      ),
    )
  })
})
