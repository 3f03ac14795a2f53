import { compareLsn } from '@maestra/client/postgres/lsn'
import { toldSettings } from '../cluster/told-settings.js'
import { applyDelay, applyDelayOf } from '../doctor/apply-delay.js'
import { type ClusterView, type NodeView, upstreamOf, upstreamsOf } from './cluster-view.js'
import { hasReadFiles } from './has-read-files.js'

/*
 * A standby with recovery_min_apply_delay replays each commit late. What is behind such a commit in its WAL has to wait, too,
 * and the standby asks for more WAL only when it has replayed what it has: once restarted, or cut off from its upstream, it
 * does not stream until its delay is over, and takes no change of whom it follows. So nobody waits for it, and it is never
 * taken for caught up. Those that receive their WAL through it depend on when it streams.
 */

/** How late a standby replays, in words; undefined when at once. What somebody else set counts, what this plan takes out does not. */
function delayOf({ declared, observed: { directory, server } }: NodeView): string | undefined {
  const declaredDelay = applyDelayOf(declared)
  if (declaredDelay !== undefined || server.kind !== 'up' || server.applyDelayMs === 0) return declaredDelay
  if (directory.kind !== 'data' || !hasReadFiles(directory, server)) return undefined
  return toldSettings(directory)[applyDelay] === undefined ? `${server.applyDelayMs} ms` : undefined
}

/** Words for why nobody waits until a standby has replayed something; undefined when that takes no longer than replay does. */
export function whyLate(view: ClusterView, standby: NodeView): string | undefined {
  const own = delayOf(standby)
  if (own !== undefined) return `it replays ${own} late`
  const [late] = upstreamsOf(view, standby).filter((upstream) => delayOf(upstream) !== undefined)
  return late === undefined ? undefined : `${late.declared.name} hands it its WAL and replays ${delayOf(late)} late`
}

/** Whether a standby waits for its delay, or is behind one that does and does not stream: it will not stream before. */
export function isHeldUp(view: ClusterView, standby: NodeView): boolean {
  const { server } = standby.observed
  if (server.kind !== 'up' || standby === view.primary) return false
  if (server.waitsForDelay) return true
  const upstream = upstreamOf(view, standby)
  const { server: above } = upstream.observed
  return above.kind === 'up' && above.walReceiver === undefined && isHeldUp(view, upstream)
}

/**
 * Whether a standby has certainly replayed the last start of its primary: a commit that is younger, both by the clock of the
 * primary; or the last checkpoint, beside which its pg_control tells what it has replayed.
 */
export function hasReplayedStart({ primary }: ClusterView, { observed: { server } }: NodeView): boolean {
  const { server: leader, directory } = primary.observed
  if (server.kind !== 'up' || leader.kind !== 'up' || directory.kind !== 'data') return false
  const isYounger = (server.lastReplayedCommitAtMs ?? 0) > leader.startedAtMs
  return isYounger || compareLsn(server.lsn, directory.control.checkpointLsn) > 0
}
