import { forkOf, type LogHistory } from '@maestra/client/postgres/fork'
import { bytesBetween, formatLsn } from '@maestra/client/postgres/lsn'
import { bytesText } from '../cluster/amount-text.js'
import type { DataDirectory, WalObservation } from '../cluster/observation.js'
import { streamsFromUpstream } from '../cluster/streams-from-upstream.js'
import { type ClusterView, type NodeView, upstreamOf } from './cluster-view.js'
import { type Draft, nothing, refused } from './draft.js'
import { replaceHint } from './plan-replacement.js'

/**
 * A standby follows its primary to a later timeline, never to an earlier one, and only while all that it has is of the
 * primary's history.
 */
export function checkHistory(view: ClusterView, standby: NodeView, directory: DataDirectory): Draft {
  const own = logOf(standby)
  const source = logOf(view.primary)
  // One that streams was let in by what it follows, and goes on while others are looked at: then positions tell nothing.
  if (
    own === undefined ||
    source === undefined ||
    streamsFromUpstream(view.cluster, standby.declared, standby.observed, upstreamOf(view, standby).observed)
  ) {
    return checkTimeline(view, standby, directory)
  }
  const fork = forkOf(own, source)
  if (fork === undefined || own.end > fork.lsn) {
    return diverged(view, standby, partingWords(view, standby, own, source))
  }
  return own.differs === undefined ? nothing : diverged(view, standby, otherBytesWords(view, standby, own, source))
}

function diverged(view: ClusterView, standby: NodeView, words: string): Draft {
  return refused(
    standby.declared.name,
    `it has diverged from ${view.primary.declared.name}: ${words}`,
    rightHistoryHint(view, standby),
  )
}

/** Its primary went back and has written past its end since: by their numbers, the two could be one. */
function otherBytesWords(view: ClusterView, standby: NodeView, own: Log, source: Log): string {
  const [name, primary] = [standby.declared.name, view.primary.declared.name]
  const fork = forkOf(own, source)
  const other = own.differs?.from ?? primary
  const where = formatLsn(own.differs?.at ?? own.end)
  return `${side(name, own, fork)}, ${side(primary, source, fork)}: at ${where} ${other} has other WAL than ${name}`
}

/** Where a node that was promoted parted from the primary, in words that follow a sentence; empty where nobody knows. */
export function partingOf(view: ClusterView, standby: NodeView): string {
  const own = logOf(standby)
  const source = logOf(view.primary)
  if (own === undefined || source === undefined || !isOfOneSystem(view.primary, standby)) return ''
  return `: ${partingWords(view, standby, own, source)}`
}

/** Positions of different systems have nothing to do with each other. */
function isOfOneSystem(...nodes: readonly NodeView[]): boolean {
  const systems = nodes.map(({ observed: { directory } }) =>
    directory.kind === 'data' ? directory.control.systemIdentifier : undefined,
  )
  return new Set(systems).size === 1
}

function partingWords(view: ClusterView, standby: NodeView, own: LogHistory, source: LogHistory): string {
  const [name, primary] = [standby.declared.name, view.primary.declared.name]
  const fork = forkOf(own, source)
  const words = [side(name, own, fork), side(primary, source, fork)]
  if (fork === undefined) return `${words.join(', ')}; no timeline is common to both`
  const extra = bytesBetween(fork.lsn, own.end)
  const missing = bytesBetween(fork.lsn, source.end)
  const has =
    extra === 0
      ? `${name} has nothing that ${primary} never had`
      : `${name} has ${bytesText(extra)} of WAL that ${primary} never had`
  return `${words.join(', ')}: ${has}${missing === 0 ? '' : `, and ${primary} ${bytesText(missing)} that ${name} has not`}`
}

/** `db1 is on timeline 2 at 0/6000000, having left timeline 1 at 0/4800000`. */
function side(name: string, log: LogHistory, fork: ReturnType<typeof forkOf>): string {
  const left = log.switches.find(({ parent }) => parent === fork?.timeline)
  const before = left === undefined ? '' : `, having left timeline ${left.parent} at ${formatLsn(left.switchpoint)}`
  return `${name} is on timeline ${log.timeline} at ${formatLsn(log.end)}${before}`
}

/** Only the user can say which of two histories counts. */
function rightHistoryHint(view: ClusterView, standby: NodeView): string {
  const [name, primary] = [standby.declared.name, view.primary.declared.name]
  return `find out which history is the right one: if it is that of ${name}, promote it and declare primary: true for it and not for ${primary}; if it is that of ${primary}, ${replaceHint(name)}`
}

type Log = LogHistory & Pick<WalObservation, 'differs'>

function logOf({ observed }: NodeView): Log | undefined {
  return observed.wal?.kind === 'known' ? observed.wal : undefined
}

/** By the numbers alone, where the WAL of one of them was not looked at. */
function checkTimeline(view: ClusterView, standby: NodeView, directory: DataDirectory): Draft {
  const { name } = standby.declared
  const primary = view.primary.observed.server
  const own = standby.observed.server
  // What a server says counts; the file of a running one may lag behind its last promotion.
  if (primary.kind !== 'up' || primary.inRecovery) return nothing
  const timeline = own.kind === 'up' ? own.timeline : directory.control.timeline
  if (timeline <= primary.timeline) return nothing
  return refused(
    name,
    `it is on timeline ${timeline}, and the primary ${view.primary.declared.name} on timeline ${primary.timeline}: it has followed another primary`,
    rightHistoryHint(view, standby),
  )
}
