import { basename, join } from 'node:path'
import { type Lsn, lsnOf } from '@maestra/client/postgres/lsn'
import { parseWalPageHeader } from '@maestra/client/postgres/wal-page'
import type { HostFiles } from '../host/host.js'

/** The last bytes of the WAL that a standby has: its primary has the same ones at the same place, or has another history. */
export type WalTail = {
  /** Name of the segment that they are in. */
  readonly segment: string
  readonly offset: number
  readonly from: Lsn
  readonly bytes: Buffer
  /** Where the segment begins. */
  readonly start: Lsn
}

/** How much of a segment is compared: commits and checkpoints in it tell their time. */
const mostBytes = 1024 ** 2

/** What a segment holds before a position up to which its records are complete; undefined where it does not hold that. */
export async function readWalTail(
  files: HostFiles,
  segment: { readonly path: string; readonly start: Lsn; readonly end: Lsn; readonly blockSize: number },
): Promise<WalTail | undefined> {
  const { path, start, end, blockSize } = segment
  const length = Number(end - start)
  const lastPage = length - 1 - ((length - 1) % blockSize)
  const offset = Math.max(0, lastPage + blockSize - mostBytes)
  const bytes = await files.readBytes(path, length - offset, offset)
  if (bytes?.length !== length - offset) return undefined
  const from = lsnOf(start + BigInt(offset))
  const skipped = foreignBytes(bytes, from, blockSize)
  if (skipped >= bytes.length) return undefined
  return {
    segment: basename(path),
    offset: offset + skipped,
    from: lsnOf(from + BigInt(skipped)),
    bytes: bytes.subarray(skipped),
    start,
  }
}

/** Up to the end of the last page that is not of this place: a machine that lost power may have written later ones only. */
function foreignBytes(bytes: Buffer, from: Lsn, blockSize: number): number {
  for (let at = (Math.ceil(bytes.length / blockSize) - 1) * blockSize; at >= 0; at -= blockSize) {
    const header = parseWalPageHeader(bytes.subarray(at, at + blockSize))
    if (header?.address !== from + BigInt(at)) return at + blockSize
  }
  return 0
}

/**
 * Where another data directory, whose WAL goes on behind them, has other bytes than these; `same` when it has the same
 * ones, and undefined when it has no longer the segment.
 */
export async function differenceFrom(files: HostFiles, data: string, tail: WalTail): Promise<Lsn | 'same' | undefined> {
  const path = join(data, 'pg_wal', tail.segment)
  const bytes = await files.readBytes(path, tail.bytes.length, tail.offset)
  // After them: a segment that was removed meanwhile is one with another place by now.
  const first = await files.readBytes(path, 40, 0)
  if (bytes?.length !== tail.bytes.length || first === undefined) return undefined
  if (parseWalPageHeader(first)?.address !== tail.start) return undefined
  const at = tail.bytes.findIndex((byte, index) => byte !== bytes[index])
  return at < 0 ? 'same' : lsnOf(tail.from + BigInt(at))
}
