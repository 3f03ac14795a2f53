import type { Lsn } from './lsn.js'
import type { TimelineId, TimelineSwitch } from './timeline.js'

/** The log of a server: its timeline, where each before it was left (the oldest may be missing), and where it ends. */
export type LogHistory = {
  readonly timeline: TimelineId
  readonly switches: readonly TimelineSwitch[]
  readonly end: Lsn
}

/**
 * The last position that two logs have in common, as far as their histories tell: up to there they are the same, behind it
 * each has its own. Undefined when they have no timeline in common.
 */
export function forkOf(
  one: LogHistory,
  other: LogHistory,
): { readonly timeline: TimelineId; readonly lsn: Lsn } | undefined {
  const [first, second] = [partsOf(one), partsOf(other)]
  let at = first.findIndex((part) => second.some((each) => each.timeline === part.timeline))
  let beside = second.findIndex((part) => part.timeline === first[at]?.timeline)
  let common: { readonly timeline: TimelineId; readonly lsn: Lsn } | undefined
  for (; at >= 0; at += 1, beside += 1) {
    const [part, its] = [first[at], second[beside]]
    if (part === undefined || its === undefined || part.timeline !== its.timeline) return common
    common = { timeline: part.timeline, lsn: part.end < its.end ? part.end : its.end }
    if (part.end !== its.end) return common
  }
  return common
}

/** The timelines, oldest first, each up to where it was left. */
function partsOf({ timeline, switches, end }: LogHistory) {
  return [...switches.map(({ parent, switchpoint }) => ({ timeline: parent, end: switchpoint })), { timeline, end }]
}
