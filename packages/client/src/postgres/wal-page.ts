import { Crc32c } from './crc32c.js'
import { type Lsn, lsnOf } from './lsn.js'
import { type TimelineId, timelineOf } from './timeline.js'

/** XLogPageHeaderData of src/include/access/xlog_internal.h, the same in PostgreSQL 14 to 18. */
export type WalPageHeader = {
  readonly timeline: TimelineId
  /** Where the page lies in the log. A segment that was kept to be used again still names the place that it had before. */
  readonly address: Lsn
  /** Bytes that the record which began on a page before still has, from this page on. */
  readonly remainingBytes: number
  readonly headerBytes: number
}

/** Bytes that hold the header of any page but for the system identifier. */
export const walPageHeaderBytes = 24

const longHeaderBytes = 40
const longHeaderFlag = 0x0002
const recordHeaderBytes = 24
/** Where a record's checksum stands: behind the rest of its header, which comes last into the sum. */
const recordCrcOffset = 20
/** No record is longer (XLogRecordMaxSize is a little less). */
const mostRecordBytes = 1024n ** 3n

/** Undefined for what is no page of WAL: one that was never written is all zeros. */
export function parseWalPageHeader(bytes: Uint8Array): WalPageHeader | undefined {
  const page = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (page.length < walPageHeaderBytes || page.readUInt16LE(0) >>> 8 !== 0xd1) return undefined
  const timeline = page.readUInt32LE(4)
  if (timeline === 0) return undefined
  return {
    timeline: timelineOf(timeline),
    address: lsnOf(page.readBigUInt64LE(8)),
    remainingBytes: page.readUInt32LE(16),
    headerBytes: (page.readUInt16LE(2) & longHeaderFlag) === 0 ? walPageHeaderBytes : longHeaderBytes,
  }
}

/**
 * The end of the last complete record on the last page that is there: what lies behind it is torn, or is from before the
 * segment was used again. A record that switches to the next segment ends with its own. Undefined when one record covers
 * the whole page, so that nothing here tells whether all of it is there.
 */
export function endOfRecords(bytes: Uint8Array, segmentBytes: number): Lsn | undefined {
  const header = parseWalPageHeader(bytes)
  if (header === undefined) return undefined
  const page = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (header.remainingBytes > page.length - header.headerBytes) return undefined
  const place = (offset: number): Lsn => lsnOf(header.address + BigInt(offset))
  let at = header.remainingBytes === 0 ? 0 : header.headerBytes + aligned(header.remainingBytes)
  let previous: Lsn | undefined
  for (;;) {
    const start = at === 0 ? header.headerBytes : at
    const length = recordLength(page, start, place(start), previous)
    if (length === undefined) return place(Math.min(at, page.length))
    if (isSwitch(page, start)) return lsnOf((place(start) / BigInt(segmentBytes) + 1n) * BigInt(segmentBytes))
    previous = place(start)
    at = start + aligned(length)
  }
}

/** Undefined where no complete record starts. */
function recordLength(page: Buffer, at: number, lsn: Lsn, previous: Lsn | undefined): number | undefined {
  if (at + recordHeaderBytes > page.length) return undefined
  const length = page.readUInt32LE(at)
  if (length < recordHeaderBytes || at + length > page.length) return undefined
  const before = page.readBigUInt64LE(at + 8)
  const follows = previous === undefined ? before < lsn && lsn - before < mostRecordBytes : before === previous
  if (!follows) return undefined
  const sum = new Crc32c()
    .update(page.subarray(at + recordHeaderBytes, at + length))
    .update(page.subarray(at, at + recordCrcOffset))
  return sum.value() === page.readUInt32LE(at + recordCrcOffset) ? length : undefined
}

/** XLOG_SWITCH of the resource manager of WAL itself: the rest of its segment says nothing. */
function isSwitch(page: Buffer, at: number): boolean {
  return page.readUInt8(at + 17) === 0 && (page.readUInt8(at + 16) & 0xf0) === 0x40
}

/** Records start at multiples of 8. */
function aligned(bytes: number): number {
  return Math.ceil(bytes / 8) * 8
}
