import { timelineOf } from '../../postgres/timeline.js'
import { change, type Draft, nodeOf } from './draft.js'
import { sameIncarnation } from './incarnation.js'
import { noteLineage } from './note-lineage.js'
import { positionsOf } from './note-progress.js'
import type { ServerState } from './server-state.js'
import type { NodeView } from './topology.js'
import type { TopologyInput } from './topology-input.js'

/** A server answered a probe. */
export function noteAnswer(draft: Draft, input: TopologyInput & { kind: 'answered' }, nowMs: number): void {
  const { address, connection, processId, state } = input
  const before = nodeOf(draft, address)
  if (before === undefined) return
  noteChange(draft, before, state)
  const same = isSameRun(before, state)
  const pooler = processId !== state.backendPid
  const { progress } = state
  const lineage = progress.inRecovery ? undefined : noteLineage(draft, before, state, connection)
  change(draft, address, {
    answers: true,
    ejected: undefined,
    systemIdentifier: state.systemIdentifier,
    startedAt: state.startedAt,
    versionNumber: state.versionNumber,
    walBlockSize: state.walBlockSize,
    walSegmentSize: state.walSegmentSize,
    inRecovery: progress.inRecovery,
    readOnly: state.readOnly,
    receiverSeen: progress.inRecovery ? progress.receiverSeen === true : before.receiverSeen,
    ...positionsOf({ ...input, progress }, pooler),
    timeline: progress.inRecovery ? progress.receivedTimeline : progress.timeline,
    passedTimeline: passedTimeline(same ? before : undefined, state),
    lineage,
    // Of a replica, until it is compared again.
    ...(!progress.inRecovery && { lagBytes: undefined, lagMs: undefined }),
    pooler,
    connection,
    diverged: same && before.diverged,
    lastAnswerAtMs: nowMs,
    lastError: undefined,
  })
  if (before.ejected) draft.events.push({ kind: 'node-back', address, goneMs: nowMs - before.ejected.sinceMs })
  if (pooler && !before.pooler) draft.events.push({ kind: 'pooler-in-between', address })
}

function isSameRun(before: NodeView, state: ServerState): boolean {
  const { systemIdentifier, startedAt } = before
  return (
    systemIdentifier !== undefined && startedAt !== undefined && sameIncarnation({ systemIdentifier, startedAt }, state)
  )
}

function noteChange(draft: Draft, before: NodeView, state: ServerState): void {
  if (before.systemIdentifier === undefined || isSameRun(before, state)) return
  const what = before.systemIdentifier === state.systemIdentifier ? 'restarted' : 'other-system'
  draft.events.push({ kind: 'server-changed', address: before.address, what })
}

/**
 * The latest timeline that this run of the server has certainly passed. What it receives counts: a standby that follows a
 * timeline never goes back to one before it.
 */
function passedTimeline(before: NodeView | undefined, { passedTimeline, progress }: ServerState) {
  const received = progress.inRecovery ? progress.receivedTimeline : progress.timeline
  return timelineOf(Math.max(passedTimeline, received ?? 0, before?.passedTimeline ?? 0))
}
