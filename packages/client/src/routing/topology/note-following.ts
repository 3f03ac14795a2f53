import { bytesBetween } from '../../postgres/lsn.js'
import { change, type Draft, type NodeChange, nodeOf, remember } from './draft.js'
import { isSole, type Lineage } from './histories.js'
import type { Address, CoursePoint, NodeView, Replayed } from './topology.js'
import type { TopologyInput } from './topology-input.js'

/** Looks that are kept: at four a second, those of the last minute of a primary that writes. */
const keptPoints = 240

/** How each replica stands to the primary: how far behind, and whether it follows at all. */
export function noteFollowing(draft: Draft, input: TopologyInput, nowMs: number): void {
  if (input.kind !== 'answered' && input.kind !== 'progressed') return
  const primary = draft.primary === undefined ? undefined : nodeOf(draft, draft.primary)
  if (primary?.written === undefined || primary.lineage === undefined) return
  if (input.address === primary.address) noteCourse(draft, primary, nowMs)
  const lineage = draft.histories.lineages.get(primary.lineage)
  for (const node of [...draft.nodes.values()]) {
    if (node.role !== 'replica' || node.replayed === undefined || lineage === undefined) continue
    const why = node.diverged ? undefined : divergence(draft, node, node.replayed, primary, lineage)
    if (why !== undefined) {
      change(draft, node.address, { diverged: true })
      draft.events.push({ kind: 'replica-diverged', address: node.address, why })
    }
    if (node.address === input.address || node.address === primary.address)
      change(draft, node.address, lagOf(draft, node, node.replayed, input, nowMs))
  }
}

function noteCourse(draft: Draft, { written }: NodeView, nowMs: number): void {
  if (written === undefined) return
  const inserted = written.inserted.bareLsn()
  const { course } = draft.memory
  const last = course.at(-1)
  const next: CoursePoint = { inserted, fromMs: last?.inserted === inserted ? last.fromMs : nowMs, untilMs: nowMs }
  const kept = last?.inserted === inserted ? course.slice(0, -1) : course
  remember(draft, { course: [...kept.slice(1 - keptPoints), next] })
}

/** What proves that a replica is not on the primary's history; undefined is no proof that it is. */
function divergence(
  draft: Draft,
  node: NodeView,
  replayed: Replayed,
  primary: NodeView,
  lineage: Lineage,
): string | undefined {
  const { timeline, passedTimeline } = node
  if (passedTimeline !== undefined && passedTimeline > lineage.timeline) {
    return `it is on timeline ${passedTimeline}, the primary on ${lineage.timeline}`
  }
  // Numbers that were read later on the primary than on a replica which follows it are not smaller.
  if (
    primary.written !== undefined &&
    primary.written.at > replayed.before &&
    replayed.lsn.bareLsn() > primary.written.inserted.bareLsn()
  ) {
    return `it has replayed up to ${replayed.lsn.toString()}, and the primary has written only up to ${primary.written.inserted.toString()}`
  }
  const left =
    lineage.parentTimeline !== undefined && timeline === lineage.parentTimeline ? lineage.switchpoint : undefined
  if (left !== undefined && isSole(lineage, draft.histories) && replayed.lsn.bareLsn() > left) {
    return `it has replayed timeline ${timeline} up to ${replayed.lsn.toString()}, which the primary's history left before`
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
