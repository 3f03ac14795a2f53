import type { Lsn } from '../../postgres/lsn.js'
import type { TimelineId } from '../../postgres/timeline.js'
import type { LineageId, LogPosition } from './log-position.js'

/** What is known of one history. */
export type Lineage = {
  readonly id: LineageId
  readonly systemIdentifier: string
  readonly timeline: TimelineId
  /** Where it left the history before it: what that one wrote behind this position is not in it. */
  readonly switchpoint?: Lsn
  /** The timeline that it left; undefined where that cannot be told, as the number before it may belong to a sibling. */
  readonly parentTimeline?: TimelineId
  /** The insert position when it was first seen. */
  readonly firstInserted: Lsn
  /** The furthest that it was seen to insert, and to flush. */
  readonly inserted: Lsn
  readonly flushed: Lsn
  /** It was seen to begin: the same server was a standby before, so that nothing of an equally numbered history is in it. */
  readonly seenToBegin: boolean
}

export type Histories = {
  readonly lineages: ReadonlyMap<LineageId, Lineage>
  /** Which history an incarnation out of recovery writes: see incarnationKey(). */
  readonly byIncarnation: ReadonlyMap<string, LineageId>
  /** That of the primary, also of one that is away. */
  readonly current: LineageId | undefined
}

/**
 * - `contained`: the history has the log up to this position as it was written.
 * - `lost`: it does not. What was written there is in no history that goes on.
 * - `ahead`: the right history, and further than it was ever seen: look again; if it still is, the position is invalid (T1).
 * - `unknown`: it cannot be told. A newer timeline than any that was seen means that the topology is old (T5).
 */
export type Verdict = 'contained' | 'lost' | 'ahead' | 'unknown' | 'other-system'

export const noHistories: Histories = { lineages: new Map(), byIncarnation: new Map(), current: undefined }

/** Whether the primary's history contains the position: rules T5 and T7. @public */
export function judge(position: LogPosition, histories: Histories): Verdict {
  const current = histories.current === undefined ? undefined : histories.lineages.get(histories.current)
  return current === undefined ? 'unknown' : judgeOn(position, current, histories)
}

/** Whether this history contains the position. */
export function judgeOn(position: LogPosition, lineage: Lineage, histories: Histories): Verdict {
  if (position.systemIdentifier !== lineage.systemIdentifier) return 'other-system'
  if (position.lineage === lineage.id) return 'contained'
  if (position.lineage === undefined && position.timeline === lineage.timeline) {
    if (!isSole(lineage, histories)) return 'unknown'
    return position.bareLsn() <= lineage.inserted ? 'contained' : 'ahead'
  }
  if (position.timeline > lineage.timeline) return 'unknown'
  return judgeElsewhere(position, lineage, histories)
}

/** A position that this history has only if it was inherited: of an older timeline, or of another history of the same number. */
function judgeElsewhere(position: LogPosition, lineage: Lineage, histories: Histories): Verdict {
  const { switchpoint, parentTimeline, firstInserted, seenToBegin } = lineage
  const lsn = position.bareLsn()
  // All that was inherited lies before where its own log begins, and was there when it was first seen.
  if (lsn > (switchpoint ?? firstInserted)) return 'lost'
  if (position.timeline === lineage.timeline) return seenToBegin ? 'lost' : 'unknown'
  if (parentTimeline === undefined || switchpoint === undefined) return 'unknown'
  if (position.timeline > parentTimeline) return 'lost'
  const parent = parentOf(lineage, histories)
  if (parent === undefined)
    return position.timeline === parentTimeline && position.lineage === undefined ? 'contained' : 'unknown'
  const verdict = judgeOn(position, parent, histories)
  return verdict === 'ahead' ? 'contained' : verdict
}

/** Whether one history descends from another: the log of the other, as far as it was flushed or not, precedes it. */
export function descends(one: Lineage, from: Lineage, histories: Histories): 'yes' | 'no' | 'unknown' {
  if (one.id === from.id) return 'yes'
  if (one.systemIdentifier !== from.systemIdentifier || one.timeline < from.timeline) return 'no'
  if (one.timeline === from.timeline) return one.seenToBegin ? 'no' : 'unknown'
  const parent = parentOf(one, histories)
  if (parent !== undefined) return descends(parent, from, histories)
  return one.parentTimeline !== undefined && one.parentTimeline < from.timeline ? 'no' : 'unknown'
}

/** Whether its timeline's number tells this history: no other one with it is known. */
export function isSole(lineage: Lineage, histories: Histories): boolean {
  return lineagesOf(lineage.systemIdentifier, lineage.timeline, histories).length === 1
}

/**
 * The history that it left: the only one with that number. Asked anew each time, since the server that writes it may be seen
 * later, and a second one with its number leaves it open.
 */
function parentOf({ systemIdentifier, parentTimeline }: Lineage, histories: Histories): Lineage | undefined {
  const [found, ...others] = parentTimeline === undefined ? [] : lineagesOf(systemIdentifier, parentTimeline, histories)
  return others.length === 0 ? found : undefined
}

export function lineagesOf(systemIdentifier: string, timeline: TimelineId, histories: Histories): readonly Lineage[] {
  return [...histories.lineages.values()].filter(
    (lineage) => lineage.systemIdentifier === systemIdentifier && lineage.timeline === timeline,
  )
}
