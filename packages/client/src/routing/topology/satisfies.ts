import type { Lsn } from '../../postgres/lsn.js'
import type { TimelineId } from '../../postgres/timeline.js'
import { isSole, judge, judgeOn, lineagesOf } from './histories.js'
import { LogPosition, type SeenPosition } from './log-position.js'
import type { NodeView, Topology } from './topology.js'

/**
 * - `yes`: what the replica shows contains the position.
 * - `not-yet`: it follows a history that contains it, and has not replayed it: worth waiting for.
 * - `unknown`: its history cannot be told. The primary answers, or a probe.
 * - `no`: it does not, or is no replica.
 */
export type Satisfaction = 'yes' | 'not-yet' | 'unknown' | 'no'

/** Whether a replica, as it was last seen by the watch, satisfies a read that needs the position: rules T3 and T4. */
export function satisfies(node: NodeView, position: LogPosition, topology: Topology, nowMs: number): Satisfaction {
  if (node.role !== 'replica' || !node.answers || node.ejected) return 'no'
  if (node.replayed === undefined) return 'unknown'
  return reaches(node, node.replayed.lsn, position, topology, nowMs, node.timeline)
}

/**
 * The same for a position that was read on a connection of the pool, of the incarnation that `node` has now: the form for
 * observed reads (R3). `timeline` is what was received, read on that connection after the position; the one that the watch
 * saw is older, and a replica may have been taken elsewhere since.
 */
export function reaches(
  node: NodeView,
  replayed: SeenPosition,
  position: LogPosition,
  topology: Topology,
  nowMs: number,
  timeline?: TimelineId,
): Satisfaction {
  if (node.role !== 'replica' || node.systemIdentifier !== position.systemIdentifier || node.diverged) return 'no'
  if (node.pooler) return 'unknown'
  const has = replayed.bareLsn() >= position.bareLsn()
  switch (followed(node, timeline, position, topology, nowMs)) {
    case 'contains':
      return has ? 'yes' : 'not-yet'
    case 'comes-to-contain':
      return 'not-yet'
    case 'unknown':
      return 'unknown'
    case 'lacks':
      return 'no'
  }
}

/** The position of a primary's log as a floor; undefined while its history is not known. @public */
export function positionOn(primary: NodeView, lsn: Lsn): LogPosition | undefined {
  const { systemIdentifier, timeline, lineage } = primary
  if (systemIdentifier === undefined || timeline === undefined || lineage === undefined) return undefined
  return new LogPosition({ systemIdentifier, timeline, lineage }, lsn)
}

type Following = 'contains' | 'comes-to-contain' | 'lacks' | 'unknown'

/**
 * Whether the history that a replica is on contains the position, if it reaches so far. Three things have to come together,
 * since a plain role does not see the history of a standby:
 * 1. The primary's history contains it.
 * 2. The replica has certainly passed the timeline of the position. A follower of a primary that died may have replayed more,
 *    in numbers, than the promoted one has written; that it came along after the promotion is seen at once with pg_monitor,
 *    and else by its next restart point.
 * 3. It cannot have been taken elsewhere since: its timeline is seen, or the primary answers, or all are under T4.
 */
function followed(
  node: NodeView,
  timeline: TimelineId | undefined,
  position: LogPosition,
  topology: Topology,
  nowMs: number,
): Following {
  const { histories } = topology
  if (histories.current === undefined) return followedAlone(timeline ?? node.passedTimeline, position, topology)
  const verdict = judge(position, histories)
  if (verdict === 'other-system' || verdict === 'lost') return 'lacks'
  // What is ahead of all that was seen of this history is in it where a replica that follows it has it.
  if (verdict !== 'contained' && verdict !== 'ahead') return 'unknown'
  return timeline === undefined
    ? followedUnseen(node, position, topology, nowMs)
    : followedSeen(timeline, position, topology)
}

/** pg_monitor, and the replica receives: the timeline was read after the position. */
function followedSeen(timeline: TimelineId, position: LogPosition, { histories }: Topology): Following {
  const current = histories.current === undefined ? undefined : histories.lineages.get(histories.current)
  if (current === undefined || timeline > current.timeline) return 'unknown'
  if (timeline < position.timeline) return 'comes-to-contain'
  const [lineage, ...others] = lineagesOf(position.systemIdentifier, timeline, histories)
  if (others.length > 0) return 'unknown'
  if (timeline === position.timeline)
    return position.lineage === undefined || position.lineage === lineage?.id ? 'contains' : 'unknown'
  if (lineage === undefined) return 'unknown'
  const verdict = judgeOn(position, lineage, histories)
  return verdict === 'contained' ? 'contains' : verdict === 'lost' ? 'lacks' : 'unknown'
}

function followedUnseen(node: NodeView, position: LogPosition, topology: Topology, nowMs: number): Following {
  const { histories, primary, primaryState, options } = topology
  const current = histories.current === undefined ? undefined : histories.lineages.get(histories.current)
  const { passedTimeline } = node
  if (current === undefined || passedTimeline === undefined || passedTimeline < position.timeline) return 'unknown'
  if (passedTimeline > current.timeline || !isSole(current, histories)) return 'unknown'
  const answers =
    primaryState === 'known' &&
    primary?.lastAnswerAtMs !== undefined &&
    nowMs - primary.lastAnswerAtMs <= options.primaryFreshMs
  if (!answers && primaryState !== 'away') return 'unknown'
  if (passedTimeline === current.timeline || passedTimeline === position.timeline) return 'contains'
  const [lineage, ...others] = lineagesOf(position.systemIdentifier, passedTimeline, histories)
  return lineage !== undefined && others.length === 0 && judgeOn(position, lineage, histories) === 'contained'
    ? 'contains'
    : 'unknown'
}

/** No primary was ever seen. Under T4 a replica that certainly is on the timeline of the position, and on no later one, serves. */
function followedAlone(timeline: TimelineId | undefined, position: LogPosition, { primaryState }: Topology): Following {
  if (primaryState !== 'away') return 'unknown'
  return timeline === position.timeline ? 'contains' : 'unknown'
}

/**
 * T4, for commits of which nobody knows whether they are in the history that goes on: the replica that answers, has replayed
 * all that it received, and is furthest; the best state that exists. Undefined when no replica is known to have.
 * @public
 */
export function mostAdvanced({ nodes, memory }: Topology): NodeView | undefined {
  let best: NodeView | undefined
  for (const node of nodes.values()) {
    if (node.role !== 'replica' || !node.answers || node.ejected || node.pooler || node.diverged) continue
    if (node.systemIdentifier !== memory.systemIdentifier || node.replayed === undefined || node.received === undefined)
      continue
    if (node.replayed.lsn.bareLsn() < node.received.bareLsn()) continue
    if (best === undefined || isFurther(node, best)) best = node
  }
  return best
}

/** On a later timeline, else further: of two histories of one number neither is better. */
function isFurther(one: NodeView, other: NodeView): boolean {
  const [later, sooner] = [one.passedTimeline ?? 0, other.passedTimeline ?? 0]
  if (later !== sooner) return later > sooner
  return (one.replayed?.lsn.bareLsn() ?? 0n) > (other.replayed?.lsn.bareLsn() ?? 0n)
}
