import type { Lsn } from '../../postgres/lsn.js'
import { type TimelineId, timelineOf } from '../../postgres/timeline.js'
import type { Draft } from './draft.js'
import { type Histories, type Lineage, lineagesOf } from './histories.js'
import { incarnationKey, sameIncarnation } from './incarnation.js'
import type { LineageId } from './log-position.js'
import type { PrimaryProgress, ServerState } from './server-state.js'
import type { NodeView } from './topology.js'

/** Which history a server out of recovery writes: one that is known, or a new one. */
export function noteLineage(draft: Draft, before: NodeView, state: ServerState): LineageId | undefined {
  const { progress } = state
  if (progress.inRecovery || progress.timeline === undefined) return undefined
  const key = incarnationKey(state)
  const known = draft.histories.byIncarnation.get(key) ?? goesOn(draft, before, state, progress.timeline)
  const id = known ?? begin(draft, before, state, progress, progress.timeline)
  if (draft.histories.byIncarnation.get(key) !== id) {
    draft.histories = { ...draft.histories, byIncarnation: new Map(draft.histories.byIncarnation).set(key, id) }
  }
  noteFurther(draft, id, progress)
  return id
}

/** It was seen to have written further. */
export function noteFurther(
  draft: Draft,
  id: LineageId,
  { inserted, flushed }: { readonly inserted: Lsn; readonly flushed: Lsn },
): void {
  const lineage = draft.histories.lineages.get(id)
  if (lineage === undefined || (inserted <= lineage.inserted && flushed <= lineage.flushed)) return
  put(draft, {
    ...lineage,
    inserted: inserted > lineage.inserted ? inserted : lineage.inserted,
    flushed: flushed > lineage.flushed ? flushed : lineage.flushed,
  })
}

/**
 * A server that was started again writes the history that it wrote before, if it has all of it that was on disk. Less means
 * that its data is older than what was seen there.
 */
function goesOn(draft: Draft, before: NodeView, state: ServerState, timeline: TimelineId): LineageId | undefined {
  const { progress } = state
  const lineage = before.lineage === undefined ? undefined : draft.histories.lineages.get(before.lineage)
  if (lineage === undefined || progress.inRecovery) return undefined
  if (lineage.systemIdentifier !== state.systemIdentifier || lineage.timeline !== timeline) return undefined
  if (progress.inserted >= lineage.flushed) return lineage.id
  draft.events.push({ kind: 'server-changed', address: before.address, what: 'went-back' })
  return undefined
}

function begin(
  draft: Draft,
  before: NodeView,
  state: ServerState,
  progress: PrimaryProgress,
  timeline: TimelineId,
): LineageId {
  const { histories } = draft
  const { systemIdentifier } = state
  const id = (histories.lineages.size + 1) as LineageId
  const wasHere = isSameServer(before, state)
  const seenToBegin = wasHere && before.inRecovery === true
  const parentTimeline = parentOf(timeline, state.passedTimeline, wasHere ? before.passedTimeline : undefined)
  const parents = parentTimeline === undefined ? [] : lineagesOf(systemIdentifier, parentTimeline, histories)
  put(draft, {
    id,
    systemIdentifier,
    timeline,
    ...(progress.switchpoint !== undefined && { switchpoint: progress.switchpoint }),
    ...(parentTimeline !== undefined && { parentTimeline }),
    ...(parents.length === 1 && parents[0] !== undefined && { parent: parents[0].id }),
    firstInserted: progress.inserted,
    inserted: progress.inserted,
    flushed: progress.flushed,
    seenToBegin,
  })
  return id
}

/**
 * The timeline that a new one left. Its number is above all that its server knew of, so the number before it may be that
 * of a sibling; it is the parent's only where the server is known to have passed it.
 */
function parentOf(timeline: TimelineId, ...passed: readonly (TimelineId | undefined)[]): TimelineId | undefined {
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
