import { bytesBetween, formatLsn } from '../../postgres/lsn.js'
import { change, type Draft, type NodeChange, nodeOf, remember } from './draft.js'
import type { Lineage } from './histories.js'
import type { Address, NodeView, Replayed } from './topology.js'
import type { TopologyInput } from './topology-input.js'

/** Looks that are kept: at four a second, those of the last minute of a primary that writes. */
const keptPoints = 240
const closeMs = 100

/** How each replica stands to the primary: how far behind, and whether it follows at all. */
export function noteFollowing(draft: Draft, input: TopologyInput, nowMs: number): void {
  if (input.kind !== 'answered' && input.kind !== 'progressed') return
  const primary = draft.primary === undefined ? undefined : nodeOf(draft, draft.primary)
  if (primary?.written === undefined || primary.lineage === undefined) return
  if (input.address === primary.address) noteCourse(draft, primary, nowMs)
  const lineage = draft.histories.lineages.get(primary.lineage)
  for (const node of [...draft.nodes.values()]) {
    if (node.role !== 'replica' || node.replayed === undefined || lineage === undefined) continue
    noteNewer(draft, node, lineage, nowMs)
    const why = node.diverged ? undefined : divergence(draft, node, primary, lineage, nowMs)
    if (why !== undefined) {
      change(draft, node.address, { diverged: true })
      draft.events.push({ kind: 'replica-diverged', address: node.address, why })
    }
    if (node.address === input.address || node.lagBytes === undefined)
      change(draft, node.address, lagOf(draft, node, node.replayed, input, nowMs))
  }
}

function noteCourse(draft: Draft, { written }: NodeView, nowMs: number): void {
  if (written === undefined) return
  const inserted = written.inserted.bareLsn()
  const { course } = draft.memory
  const last = course.at(-1)
  if (last !== undefined && last.inserted >= inserted) {
    remember(draft, { course: [...course.slice(0, -1), { ...last, untilMs: nowMs }] })
    return
  }
  // Looks that are close together are one: of a primary that is asked after each commit the last minute is kept too.
  const before = course.at(-2)
  const kept = before !== undefined && nowMs - before.untilMs < closeMs ? course.slice(0, -1) : course
  remember(draft, { course: [...kept.slice(1 - keptPoints), { inserted, untilMs: nowMs }] })
}

/** A replica on a later timeline than the primary: somebody was promoted, and may not have been probed since. */
function noteNewer(
  draft: Draft,
  { address, passedTimeline, newerSinceMs }: NodeView,
  lineage: Lineage,
  nowMs: number,
): void {
  if (passedTimeline === undefined || passedTimeline <= lineage.timeline) {
    if (newerSinceMs !== undefined) change(draft, address, { newerSinceMs: undefined })
  } else if (newerSinceMs === undefined) {
    change(draft, address, { newerSinceMs: nowMs })
    for (const each of draft.nodes.keys()) draft.askAgain.add(each)
  }
}

/** What proves that a replica is not on the primary's history; undefined is no proof that it is. */
function divergence(
  draft: Draft,
  { timeline, passedTimeline, newerSinceMs, replayed }: NodeView,
  { written }: NodeView,
  lineage: Lineage,
  nowMs: number,
): string | undefined {
  if (replayed === undefined || written === undefined) return undefined
  if (newerSinceMs !== undefined && nowMs - newerSinceMs > draft.options.primaryFreshMs) {
    return `it is on timeline ${passedTimeline}, the primary on ${lineage.timeline}`
  }
  const [reached, inserted] = [replayed.lsn.bareLsn(), written.inserted.bareLsn()]
  // What was read later on the primary is not less than what a replica that follows it has replayed.
  if (written.at > replayed.before && reached > inserted) {
    return `it has replayed up to ${formatLsn(reached)}, and the primary has written only up to ${formatLsn(inserted)}`
  }
  const left = timeline === lineage.parentTimeline ? lineage.switchpoint : undefined
  if (timeline !== undefined && left !== undefined && reached > left) {
    return `it has replayed timeline ${timeline} up to ${formatLsn(reached)}, which the primary's history left at ${formatLsn(left)}`
  }
  return undefined
}

/** Positions first: a replica that has all is not behind, however long ago the last commit was. */
function lagOf(draft: Draft, node: NodeView, replayed: Replayed, input: TopologyInput, nowMs: number): NodeChange {
  const newest = draft.memory.course.at(-1)
  if (newest === undefined || node.diverged) return { lagBytes: undefined, lagMs: undefined }
  const lsn = replayed.lsn.bareLsn()
  const lagBytes = Math.max(0, bytesBetween(lsn, newest.inserted))
  if (lagBytes === 0) return { lagBytes, lagMs: 0 }
  const byClocks = clockAgeMs(input, node.address)
  const covered = draft.memory.course.findLast(({ inserted }) => inserted <= lsn)
  const bySight = covered === undefined ? undefined : nowMs - covered.untilMs
  const known = [byClocks, bySight].filter((each) => each !== undefined).map((each) => Math.max(0, each))
  return { lagBytes, lagMs: known.length === 0 ? undefined : Math.min(...known) }
}

/** How old the last replayed commit is, where this answer of the replica says so. */
function clockAgeMs(input: TopologyInput, address: Address): number | undefined {
  if (input.kind !== 'answered' || input.address !== address) return undefined
  const { progress } = input.state
  return progress.inRecovery ? progress.replayedCommitAgeMs : undefined
}
