import { badValue, quoted } from './bad-value.js'
import { type Lsn, lsnOf } from './lsn.js'
import { type TimelineId, timelineOf } from './timeline.js'

/** What a file in pg_wal or in an archive is, by its name. */
export type WalFileKind = 'segment' | 'partial' | 'backup' | 'history'

/** Bytes of a segment unless initdb was told otherwise. @public */
export const defaultWalSegmentSize = 16 * 1024 * 1024

const patterns: readonly (readonly [WalFileKind, RegExp])[] = [
  ['segment', /^[0-9A-F]{24}$/],
  ['partial', /^[0-9A-F]{24}\.partial$/],
  ['backup', /^[0-9A-F]{24}\.[0-9A-F]{8}\.backup$/],
  ['history', /^[0-9A-F]{8}\.history$/],
]

/** What the file of that name is, or undefined when PostgreSQL gives no WAL file such a name. */
export function kindOfWalFile(name: string): WalFileKind | undefined {
  return patterns.find(([, pattern]) => pattern.test(name))?.[0]
}

/**
 * The segment that holds the byte at `lsn`; its size in bytes is in pg_control. Throws bad-value for a size that
 * PostgreSQL does not have.
 * @public
 */
export function walFileName(timeline: TimelineId, lsn: Lsn, segmentSize: number): string {
  const perXlogId = segmentsPerXlogId(segmentSize)
  const segment = lsn / BigInt(segmentSize)
  return hex8(BigInt(timeline)) + hex8(segment / perXlogId) + hex8(segment % perXlogId)
}

/**
 * The timeline and the first byte of a segment, also of a partial one or of the one that a backup file is named
 * after. Throws bad-value.
 * @public
 */
export function parseWalFileName(name: string, segmentSize: number): { timeline: TimelineId; start: Lsn } {
  const perXlogId = segmentsPerXlogId(segmentSize)
  const kind = kindOfWalFile(name)
  if (kind === undefined || kind === 'history') {
    throw badValue(
      `${quoted(name)} is not the name of a WAL segment`,
      'A segment is named like 000000010000000000000003.',
    )
  }
  const part = (from: number) => BigInt(`0x${name.slice(from, from + 8)}`)
  if (part(16) >= perXlogId) {
    throw badValue(
      `${quoted(name)} is not the name of a WAL segment of ${segmentSize} bytes`,
      'The segment size is in pg_control (show wal_segment_size).',
    )
  }
  return { timeline: timelineOf(Number(part(0))), start: lsnOf((part(8) * perXlogId + part(16)) * BigInt(segmentSize)) }
}

/** PostgreSQL counts segments within blocks of 4 GiB; the two halves of a name are the block and the segment in it. */
function segmentsPerXlogId(segmentSize: number): bigint {
  const isPowerOfTwo = Number.isInteger(segmentSize) && Number.isInteger(Math.log2(segmentSize))
  if (!isPowerOfTwo || segmentSize < 1024 ** 2 || segmentSize > 1024 ** 3) {
    throw badValue(
      `${segmentSize} is not the size of a WAL segment`,
      'PostgreSQL has segments of 1 MiB to 1 GiB, a power of two of bytes.',
    )
  }
  return 0x1_0000_0000n / BigInt(segmentSize)
}

function hex8(value: bigint): string {
  return value.toString(16).toUpperCase().padStart(8, '0')
}
