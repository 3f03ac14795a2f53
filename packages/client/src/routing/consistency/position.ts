import { type Lsn, lsnOf } from '../../postgres/lsn.js'
import type { TimelineId } from '../../postgres/timeline.js'

/**
 * A place in the log of one history, as far as a token can name one. Positions of different systems or timelines are
 * never compared as numbers (T2): which of them contains the other is for the topology to say.
 */
export type Position = {
  /** From pg_control_system(), decimal. */
  readonly systemIdentifier: string
  readonly timeline: TimelineId
  readonly lsn: Lsn
}

/** The sizes that a server was built and initialised with: wal_block_size and wal_segment_size, in bytes. */
export type WalGeometry = {
  readonly pageBytes: number
  readonly segmentBytes: number
}

/** XLogPageHeaderData, and XLogLongPageHeaderData on the first page of a segment; the same in PostgreSQL 14 to 18. */
const pageHeaderBytes = 24n
const segmentHeaderBytes = 40n

/**
 * The position that replay reports when it has replayed all before `lsn` (W4). The insert position of a log that ends with a
 * full page stands behind the header of the next one, where no record has ended yet, and replay stops at that page's start:
 * who waits for the insert position as it was read waits for the next record, whoever writes it.
 */
export function replayablePosition(lsn: Lsn, { pageBytes, segmentBytes }: WalGeometry): Lsn {
  const inPage = lsn % BigInt(pageBytes)
  const headerBytes = lsn % BigInt(segmentBytes) === inPage ? segmentHeaderBytes : pageHeaderBytes
  return inPage === headerBytes ? lsnOf(lsn - inPage) : lsn
}

function sameHistory(one: Position, other: Position): boolean {
  return one.timeline === other.timeline && one.systemIdentifier === other.systemIdentifier
}

/** The positions and one more: of each (system, timeline) the furthest. The same array where nothing changes. */
export function withPosition(positions: readonly Position[], position: Position): readonly Position[] {
  const at = positions.findIndex((each) => sameHistory(each, position))
  const before = positions[at]
  if (before === undefined) return [...positions, position]
  return before.lsn >= position.lsn ? positions : positions.with(at, position)
}
