import { join } from 'node:path'
import { messageOf } from '@maestra/client/base/error'
import { type ConfLine, parseConf, settingsOf } from '@maestra/client/postgres/conf'
import { type ControlData, parseControlData } from '@maestra/client/postgres/control-data'
import { type Lsn, lsnOf, maxLsn } from '@maestra/client/postgres/lsn'
import {
  historyContains,
  parseTimelineHistory,
  type TimelineId,
  type TimelineSwitch,
  timelineOf,
  timelineOfWalFileName,
} from '@maestra/client/postgres/timeline'
import { kindOfWalFile, parseWalFileName, walFileName } from '@maestra/client/postgres/wal-file'
import { endOfRecords, parseWalPageHeader, walPageHeaderBytes } from '@maestra/client/postgres/wal-page'
import { autoConfFile, settingsFile } from '../cluster/node-configuration.js'
import type { NodeObservation, ServerObservation, WalObservation } from '../cluster/observation.js'
import type { HostFiles } from '../host/host.js'
import { readWalTail, type WalTail } from './wal-tail.js'

type Wal = {
  readonly files: HostFiles
  readonly directory: string
  readonly names: ReadonlySet<string>
  readonly control: ControlData
  readonly restores: boolean
}

/** What is seen, and what it takes to look for the rest elsewhere. */
export type WalLook = {
  readonly wal: NonNullable<NodeObservation['wal']>
  readonly tail?: WalTail | undefined
  /** The name of the segment that it needs, without the timeline. */
  readonly needed?: string
}

/** A timeline and where each before it was left. */
type History = { readonly timeline: TimelineId; readonly switches: readonly TimelineSwitch[] }

/** Looks at the WAL in a data directory, whether its server runs or not; what that says of itself is certain. */
export async function observeWal(
  files: HostFiles,
  data: string,
  server: ServerObservation,
): Promise<NonNullable<NodeObservation['wal']>> {
  return (await observeWalToCompare(files, data, server)).wal
}

/** The same, with the bytes by which it can be compared with the WAL of another node. */
export async function observeWalToCompare(files: HostFiles, data: string, server: ServerObservation): Promise<WalLook> {
  try {
    const [control, names] = await Promise.all([
      files.readBytes(join(data, 'global', 'pg_control')),
      files.list(join(data, 'pg_wal')),
    ])
    if (control === undefined || names === undefined) {
      return { wal: { kind: 'unknown', because: `${data} holds no WAL` } }
    }
    const directory = join(data, 'pg_wal')
    const restores = (server.kind === 'up' ? server.restores : undefined) ?? (await mayRestore(files, data))
    return await look({ files, directory, names: new Set(names), control: parseControlData(control), restores }, server)
  } catch (error) {
    return { wal: { kind: 'unknown', because: messageOf(error) } }
  }
}

/** By its files, since a stopped server cannot be asked. What else they include is not followed: it may have one. */
async function mayRestore(files: HostFiles, data: string): Promise<boolean> {
  const names = ['postgresql.conf', autoConfFile]
  const texts = await Promise.all(names.map((name) => files.readBytes(join(data, name))))
  return texts.some((bytes) => {
    const text = bytes?.toString('latin1') ?? ''
    const isOther = (line: ConfLine): boolean =>
      line.kind === 'include' && (line.name === 'include_dir' || line.value !== settingsFile)
    return Boolean(settingsOf(text)['restore_command']) || parseConf(text).some(isOther)
  })
}

async function look(wal: Wal, server: ServerObservation): Promise<WalLook> {
  const isUp = server.kind === 'up'
  // A primary knows its timeline; what a standby has received may be on a later one than what it has replayed.
  const history =
    isUp && !server.inRecovery
      ? { timeline: server.timeline, switches: await switchesOf(wal, server.timeline) }
      : await newestHistory(wal, isUp ? server.timeline : wal.control.timeline)
  const known = isUp ? maxLsn(wal.control.redoLsn, server.lsn) : wal.control.redoLsn
  const received = (isUp ? server.receivedLsn : undefined) ?? known
  const found = (await endOfWal(wal, history, maxLsn(known, received))) ?? (await endOfWal(wal, history, known))
  const end = maxLsn(known, found?.end ?? known)
  const needs = maxLsn(end, found?.needs ?? end)
  return {
    wal: {
      kind: 'known',
      ...at(history, end),
      end,
      needs,
      from: oldestOf(wal, history, end),
      restores: wal.restores,
    },
    tail: await tailOf(wal, history, found?.checked),
    needed: walFileName(history.timeline, needs, wal.control.walSegmentSize).slice(8),
  }
}

async function tailOf(wal: Wal, history: History, end: Lsn | undefined): Promise<WalTail | undefined> {
  if (end === undefined || end === 0n) return undefined
  const { walBlockSize: blockSize, walSegmentSize } = wal.control
  const start = lsnOf(end - 1n - ((end - 1n) % BigInt(walSegmentSize)))
  const path = segmentOf(wal, history, start)
  return path === undefined ? undefined : await readWalTail(wal.files, { path, start, end, blockSize })
}

/** As a server that starts would find it: the latest timeline that its own one has led to. */
async function newestHistory(wal: Wal, timeline: TimelineId): Promise<History> {
  const later = [...wal.names]
    .filter((name) => kindOfWalFile(name) === 'history')
    .map(timelineOfWalFileName)
    .filter((each) => each > timeline)
    .toSorted((a, b) => b - a)
  for (const each of later) {
    const switches = await switchesOf(wal, each)
    if (historyContains(switches, each, timeline, wal.control.redoLsn)) return { timeline: each, switches }
  }
  return { timeline, switches: await switchesOf(wal, timeline) }
}

async function switchesOf({ files, directory }: Wal, timeline: TimelineId): Promise<readonly TimelineSwitch[]> {
  const name = `${timeline.toString(16).toUpperCase().padStart(8, '0')}.history`
  return parseTimelineHistory((await files.readText(join(directory, name))) ?? '')
}

/** The part of a history up to a position: a timeline that its WAL has not come to is none of its own. */
function at({ timeline, switches }: History, end: Lsn): History {
  const left = switches.findIndex((each) => end <= each.switchpoint)
  const last = switches[left]
  return last === undefined ? { timeline, switches } : { timeline: last.parent, switches: switches.slice(0, left) }
}

type End = Pick<WalObservation, 'end' | 'needs'> & {
  /** Up to here its bytes are of complete records; a record that switches to the next segment ends long before that. */
  readonly checked?: Lsn
}

/**
 * Segment by segment from a position that it has come to, then page by page in the last one. Undefined when it does not
 * have the segment of that.
 */
async function endOfWal(wal: Wal, history: History, from: Lsn): Promise<End | undefined> {
  const size = BigInt(wal.control.walSegmentSize)
  let start = lsnOf(from - (from % size))
  if (!(await isWritten(wal, history, start))) return undefined
  while (await isWritten(wal, history, lsnOf(start + size))) start = lsnOf(start + size)
  return await endInSegment(wal, history, start)
}

async function isWritten(wal: Wal, history: History, start: Lsn): Promise<boolean> {
  const path = segmentOf(wal, history, start)
  return path !== undefined && (await isPageOf(wal, path, start, 0))
}

async function isPageOf({ files, control }: Wal, path: string, start: Lsn, page: number): Promise<boolean> {
  const offset = page * control.walBlockSize
  const header = parseWalPageHeader((await files.readBytes(path, walPageHeaderBytes, offset)) ?? Buffer.alloc(0))
  return header?.address === start + BigInt(offset)
}

/** WAL is written from the beginning of a segment on: pages that are its own come first, then those of before. */
async function endInSegment(wal: Wal, history: History, start: Lsn): Promise<End> {
  const path = segmentOf(wal, history, start)
  if (path === undefined) return { end: start, needs: start }
  const { walBlockSize, walSegmentSize } = wal.control
  let [page, beyond] = [0, walSegmentSize / walBlockSize]
  while (beyond - page > 1) {
    const middle = Math.floor((page + beyond) / 2)
    if (await isPageOf(wal, path, start, middle)) page = middle
    else beyond = middle
  }
  // Of a record that is torn at the end of its segment all may be there but what the next segment has.
  const isFull = beyond === walSegmentSize / walBlockSize
  const needs = isFull ? lsnOf(start + BigInt(walSegmentSize)) : undefined
  for (; page >= 0; page -= 1) {
    const bytes = await wal.files.readBytes(path, walBlockSize, page * walBlockSize)
    const end = bytes === undefined ? undefined : endOfRecords(bytes, walSegmentSize)
    if (end === undefined) continue
    const pageEnd = lsnOf(start + BigInt((page + 1) * walBlockSize))
    return { end, needs: needs ?? end, checked: end < pageEnd ? end : pageEnd }
  }
  return { end: start, needs: needs ?? start }
}

/** The file of the segment, of the latest timeline that has one: so does PostgreSQL choose. */
function segmentOf({ names, directory, control }: Wal, history: History, start: Lsn): string | undefined {
  const found = timelinesOf(history)
    .map((timeline) => walFileName(timeline, start, control.walSegmentSize))
    .find((name) => names.has(name))
  return found === undefined ? undefined : join(directory, found)
}

/** The latest first. */
function timelinesOf({ timeline, switches }: History): readonly TimelineId[] {
  return [...switches.map((each) => each.parent), timeline].toReversed()
}

/** Back from the end as long as there is a segment. */
function oldestOf(wal: Wal, history: History, end: Lsn): Lsn {
  const { walSegmentSize } = wal.control
  const size = BigInt(walSegmentSize)
  const timelines = new Set(timelinesOf(history))
  const starts = new Set(
    [...wal.names]
      .filter((name) => kindOfWalFile(name) === 'segment')
      .map((name) => parseWalFileName(name, walSegmentSize))
      .filter((segment) => timelines.has(timelineOf(segment.timeline)))
      .map((segment) => segment.start),
  )
  let from = lsnOf(end - (end % size))
  while (from >= size && starts.has(lsnOf(from - size))) from = lsnOf(from - size)
  return from
}
