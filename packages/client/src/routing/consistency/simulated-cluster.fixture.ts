import { type Lsn, lsnOf } from '../../postgres/lsn.js'
import { type TimelineId, timelineOf } from '../../postgres/timeline.js'
import type { CaptureReading } from './capture.js'
import type { Position } from './position.js'
import type { PrimaryIncarnation } from './primary-incarnation.js'

/** Small pages and segments, so that the places where W4 lowers a position come often. */
const geometry = { pageBytes: 64, segmentBytes: 256 }

/** One record of a log: where it ends, and the commit that it is. */
type LogRecord = { readonly end: number; readonly commit: number | undefined }

/** What a server writes down. Nothing in it knows what `Commits` believes. */
export class SimulatedServer {
  readonly timeline: TimelineId
  /** Where each older timeline was left. */
  readonly switches: ReadonlyMap<number, number>
  records: LogRecord[]
  flushed: number
  /** Crash restarts: what a client cannot see. */
  crashes = 0
  restarts = 0
  alive = true
  /** Records that it began with: a standby of this timeline has them all. */
  readonly inherited: number

  constructor(timeline: number, records: LogRecord[], switches: ReadonlyMap<number, number>) {
    this.timeline = timelineOf(timeline)
    this.records = records
    this.inherited = records.length
    this.switches = switches
    this.flushed = this.end
  }

  get end(): number {
    return this.records.at(-1)?.end ?? 0
  }

  get incarnation(): PrimaryIncarnation {
    return { systemIdentifier: '7', timeline: this.timeline, startedAt: `start ${this.restarts}` }
  }

  append(bytes: number, commit?: number): void {
    this.records.push({ end: endOfRecord(this.end, bytes), commit })
  }

  flush(upTo = this.end): void {
    this.flushed = Math.max(this.flushed, this.endAtOrBefore(upTo))
  }

  /** What was not flushed is gone, or some of it. */
  crash(kept: number, restarted: boolean): void {
    const unflushed = this.records.filter(({ end }) => end > this.flushed).length
    this.records = this.records.slice(0, this.records.length - (unflushed === 0 ? 0 : unflushed - (kept % unflushed)))
    this.flushed = this.end
    this.crashes += 1
    if (restarted) this.restarts += 1
  }

  /** A standby that had replayed so many of the flushed records becomes the primary of a new timeline. */
  promoted(behind: number): SimulatedServer {
    const flushed = this.records.filter(({ end }) => end <= this.flushed)
    const records = flushed.slice(0, Math.max(this.inherited, flushed.length - behind))
    const switches = new Map([...this.switches, [this.timeline as number, records.at(-1)?.end ?? 0]])
    return new SimulatedServer(this.timeline + 1, records, switches)
  }

  /** As PostgreSQL says it: an insert position at the start of a page stands behind that page's header. */
  reading(): CaptureReading {
    const { end } = this
    const insert = end % geometry.pageBytes === 0 ? end + headerBytes(end) : end
    return { ...geometry, timeline: this.timeline, insert: lsn(insert), flush: lsn(this.flushed) }
  }

  has(commit: number): boolean {
    return this.records.some((record) => record.commit === commit)
  }

  /** Whether a standby of this history that has replayed up to `end` has all of the positions. */
  containsAt(end: number, positions: readonly Position[]): boolean {
    return positions.every((position) => {
      if (position.timeline === this.timeline) return Number(position.lsn) <= end
      const left = this.switches.get(position.timeline)
      return left !== undefined && Number(position.lsn) <= left && Number(position.lsn) <= end
    })
  }

  sees(end: number, commit: number): boolean {
    return this.records.some((record) => record.commit === commit && record.end <= end)
  }

  /** The places at which a standby of this history can stand. */
  stops(): number[] {
    return [0, ...this.records.map(({ end }) => end)]
  }

  private endAtOrBefore(place: number): number {
    return this.records.findLast(({ end }) => end <= place)?.end ?? 0
  }
}

function endOfRecord(start: number, bytes: number): number {
  let at = start
  for (let left = 24 + bytes * 8; left > 0; ) {
    if (at % geometry.pageBytes === 0) at += headerBytes(at)
    const taken = Math.min(left, geometry.pageBytes - (at % geometry.pageBytes))
    at += taken
    left -= taken
  }
  return at
}

function headerBytes(pageStart: number): number {
  return pageStart % geometry.segmentBytes === 0 ? 40 : 24
}

function lsn(place: number): Lsn {
  return lsnOf(BigInt(place))
}
