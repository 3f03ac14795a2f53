import type { Lsn } from '../../postgres/lsn.js'
import { type TimelineId, timelineOf } from '../../postgres/timeline.js'
import type { Draft } from './draft.js'
import type { Histories, Lineage } from './histories.js'
import { incarnationKey, sameIncarnation } from './incarnation.js'
import type { LineageId } from './log-position.js'
import type { PrimaryProgress, ServerState } from './server-state.js'
import type { NodeView } from './topology.js'

/** Which history a server out of recovery writes: one that is known, or a new one. */
export function noteLineage(
  draft: Draft,
  before: NodeView,
  state: ServerState,
  connection: number,
): LineageId | undefined {
  const { progress } = state
  if (progress.inRecovery || progress.timeline === undefined) return undefined
  const key = incarnationKey(state)
  const ofThisRun = draft.histories.byIncarnation.get(key)
  const begun = beginningOf(before, state, progress.timeline, connection)
  // A run in which it was promoted does not go on with what an earlier run wrote.
  const known = goesOn(draft, ofThisRun ?? (begun.inThisRun ? undefined : before.lineage), before, state)
  const id = known ?? begin(draft, before, state, progress, progress.timeline, begun)
  if (ofThisRun !== id) {
    draft.histories = { ...draft.histories, byIncarnation: new Map(draft.histories.byIncarnation).set(key, id) }
  }
  noteFurther(draft, id, progress)
  return id
}

/** What is certain of the promotion that began the timeline which a server writes. */
type Beginning = {
  /** It was in this run of the server. */
  readonly inThisRun: boolean
  /** And no recovery from a crash came after it, so that the server still tells its switch point. */
  readonly tellsWhere: boolean
}

/**
 * Proofs that no crash came after the promotion: the last checkpoint is of a timeline before, as a recovery from a crash ends
 * with one of its own; or the connection on which the server was seen in recovery never broke.
 */
function beginningOf(before: NodeView, state: ServerState, timeline: TimelineId, connection: number): Beginning {
  const wasStandby = isSameServer(before, state) && before.inRecovery === true
  const tellsWhere = state.checkpointTimeline < timeline || (wasStandby && before.connection === connection)
  return { inThisRun: wasStandby || tellsWhere, tellsWhere }
}

/** It was seen to have written further. */
export function noteFurther(
  draft: Draft,
  id: LineageId,
  { inserted, flushed }: { readonly inserted: Lsn; readonly flushed?: Lsn },
): void {
  const lineage = draft.histories.lineages.get(id)
  if (lineage === undefined) return
  const isFlushedFurther = flushed !== undefined && flushed > lineage.flushed
  if (inserted <= lineage.inserted && !isFlushedFurther) return
  put(draft, {
    ...lineage,
    inserted: inserted > lineage.inserted ? inserted : lineage.inserted,
    flushed: isFlushedFurther ? flushed : lineage.flushed,
  })
}

/**
 * A server that was seen before writes the history that it wrote, if it has all of it that was on disk. Less means that its
 * data is older than what was seen there.
 */
function goesOn(
  draft: Draft,
  id: LineageId | undefined,
  { address }: NodeView,
  { systemIdentifier, progress }: ServerState,
): LineageId | undefined {
  const lineage = id === undefined ? undefined : draft.histories.lineages.get(id)
  if (lineage === undefined || progress.inRecovery) return undefined
  if (lineage.systemIdentifier !== systemIdentifier || lineage.timeline !== progress.timeline) return undefined
  if (progress.inserted >= lineage.flushed) return lineage.id
  draft.events.push({ kind: 'server-changed', address, what: 'went-back' })
  return undefined
}

function begin(
  draft: Draft,
  before: NodeView,
  state: ServerState,
  { inserted, flushed, lastReplayed }: PrimaryProgress,
  timeline: TimelineId,
  { inThisRun, tellsWhere }: Beginning,
): LineageId {
  const { systemIdentifier } = state
  const id = (draft.histories.lineages.size + 1) as LineageId
  const passed = isSameServer(before, state) ? before.passedTimeline : undefined
  const parentTimeline = parentTimelineOf(timeline, state.checkpointTimeline, passed)
  put(draft, {
    id,
    systemIdentifier,
    timeline,
    ...(tellsWhere && lastReplayed !== undefined && { switchpoint: lastReplayed }),
    ...(parentTimeline !== undefined && { parentTimeline }),
    firstInserted: inserted,
    inserted,
    flushed,
    seenToBegin: inThisRun,
  })
  return id
}

/**
 * The timeline that a new one left. Its number is above all that its server knew of, so the number before it may be that
 * of a sibling; it is the parent's only where the server is known to have passed it.
 */
function parentTimelineOf(
  timeline: TimelineId,
  ...passed: readonly (TimelineId | undefined)[]
): TimelineId | undefined {
  if (timeline === 1) return undefined
  return timeline === 2 || passed.includes(timelineOf(timeline - 1)) ? timelineOf(timeline - 1) : undefined
}

function isSameServer({ systemIdentifier, startedAt }: NodeView, state: ServerState): boolean {
  return (
    systemIdentifier !== undefined && startedAt !== undefined && sameIncarnation({ systemIdentifier, startedAt }, state)
  )
}

function put(draft: Draft, lineage: Lineage): void {
  const lineages: Histories['lineages'] = new Map(draft.histories.lineages).set(lineage.id, lineage)
  draft.histories = { ...draft.histories, lineages }
}
