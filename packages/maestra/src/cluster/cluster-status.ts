import { bytesBetween, formatLsn, type Lsn } from '@maestra/client/postgres/lsn'
import { type DeclaredCluster, type DeclaredNode, primaryOf, slotName } from './declared-cluster.js'
import type { NodeObservation, Observation, RunningServer, WalSender } from './observation.js'

/** What `maestra status --json` prints: stable, documented in docs/status.md. */
export type ClusterStatus = {
  readonly cluster: string
  /** The node that is the primary now; null when none can be seen. */
  readonly primary: string | null
  readonly nodes: readonly NodeStatus[]
}

export type NodeState =
  | 'streaming'
  | 'catchup'
  | 'running'
  | 'starting'
  | 'paused'
  | 'stopped'
  | 'unreachable'
  | 'failed'

export type NodeStatus = {
  readonly name: string
  readonly role: 'primary' | 'standby' | 'unknown'
  readonly state: NodeState
  readonly host: string
  readonly port: number
  readonly version: string | null
  readonly timeline: number | null
  /** Primary: written. Standby: replayed. */
  readonly lsn: string | null
  /** Bytes of WAL that the primary has written and this standby has not replayed. */
  readonly lagBytes: number | null
  /** How long ago the primary had what this standby has, in ms; 0 when it has everything, however idle the primary is. */
  readonly lagMs: number | null
  /** `sync_state` at the primary: async, potential, sync, quorum. */
  readonly sync: string | null
  readonly slot: string | null
  /** Settings that were changed and take a restart. */
  readonly pendingRestart: readonly string[]
  /** Why something above is null; null when nothing is missing. */
  readonly unknown: string | null
}

export function clusterStatus(cluster: DeclaredCluster, observation: Observation): ClusterStatus {
  const primary = findPrimary(cluster, observation)
  return {
    cluster: cluster.name,
    primary: primary?.name ?? null,
    nodes: cluster.nodes.map((node) => nodeStatus(node, observed(observation, node.name), primary?.server)),
  }
}

type Primary = { readonly name: string; readonly server: RunningServer }

/** The declared primary where two servers claim to be one: which is right is not for a table to decide. */
function findPrimary(cluster: DeclaredCluster, observation: Observation): Primary | undefined {
  const declared = primaryOf(cluster).name
  const names = [declared, ...cluster.nodes.map((node) => node.name).filter((name) => name !== declared)]
  for (const name of names) {
    const { server } = observed(observation, name)
    if (server.kind === 'up' && !server.inRecovery) return { name, server }
  }
  return undefined
}

function observed(observation: Observation, name: string): NodeObservation {
  const found = observation.nodes.find((node) => node.name === name)
  if (found === undefined) throw new Error(`node ${name} was not observed`)
  return found
}

function nodeStatus(node: DeclaredNode, seen: NodeObservation, primary: RunningServer | undefined): NodeStatus {
  const { server } = seen
  if (server.kind !== 'up') return { ...silentNode(node, seen), ...roleAndTimeline(seen) }
  const base = {
    name: node.name,
    host: node.host,
    port: node.port,
    version: server.version.text,
    timeline: server.timeline,
    lsn: formatLsn(server.lsn),
    pendingRestart: server.pendingRestart,
  }
  if (!server.inRecovery) {
    return {
      ...base,
      role: 'primary',
      state: 'running',
      lagBytes: null,
      lagMs: null,
      sync: null,
      slot: null,
      unknown: null,
    }
  }
  const sender = primary?.walSenders.find((each) => each.node === node.name)
  return {
    ...base,
    role: 'standby',
    state: standbyState(server, sender),
    ...lag(server, sender, primary),
    sync: sender?.sync ?? null,
    slot: server.walReceiver?.slot ?? declaredSlot(node, primary),
    unknown: primary === undefined ? 'how far it is behind, because no primary can be seen' : null,
  }
}

function standbyState(server: RunningServer, sender: WalSender | undefined): NodeState {
  if (server.replayPaused) return 'paused'
  if (server.walReceiver?.status !== 'streaming') return server.walReceiver === undefined ? 'running' : 'starting'
  return sender?.state === 'catchup' ? 'catchup' : 'streaming'
}

/**
 * Positions first, clocks only where they differ: on an idle primary the last transaction grows old while nothing is
 * missing. The two servers are not asked at the same instant, so a standby may be seen ahead of its primary.
 */
function lag(
  server: RunningServer,
  sender: WalSender | undefined,
  primary: RunningServer | undefined,
): Pick<NodeStatus, 'lagBytes' | 'lagMs'> {
  if (primary === undefined) return { lagBytes: null, lagMs: null }
  const lagBytes = Math.max(0, bytesBetween(furthest(server.lsn, sender?.replayLsn), primary.lsn))
  if (lagBytes === 0) return { lagBytes: 0, lagMs: 0 }
  const streaming = server.walReceiver?.status === 'streaming' && !server.replayPaused
  const measured = streaming ? (sender?.replayLagMs ?? 0) : server.sinceLastReplayMs
  return { lagBytes, lagMs: measured === undefined ? null : Math.round(measured) }
}

function furthest(own: Lsn, reported: Lsn | undefined): Lsn {
  return reported !== undefined && reported > own ? reported : own
}

function declaredSlot(node: DeclaredNode, primary: RunningServer | undefined): string | null {
  const name = slotName(node.name)
  return primary?.slots.some((slot) => slot.name === name) ? name : null
}

/** A node whose server cannot be asked: what its files and processes say. */
function silentNode(node: DeclaredNode, seen: NodeObservation): NodeStatus {
  const { state, because } = silence(seen)
  return {
    name: node.name,
    role: 'unknown',
    state,
    host: node.host,
    port: node.port,
    version: null,
    timeline: null,
    lsn: null,
    lagBytes: null,
    lagMs: null,
    sync: null,
    slot: null,
    pendingRestart: [],
    unknown: because,
  }
}

function silence({ server, directory, process, port }: NodeObservation): { state: NodeState; because: string } {
  if (server.kind === 'starting') return { state: 'starting', because: server.because }
  if (server.kind === 'unreachable') return { state: 'unreachable', because: server.because }
  if (process.kind === 'unknown') return { state: 'unreachable', because: process.because }
  if (directory.kind === 'unknown') return { state: 'unreachable', because: directory.because }
  if (directory.kind !== 'data') return { state: 'stopped', because: 'it holds no data yet' }
  if (port.kind === 'taken') return { state: 'stopped', because: `it is stopped, and on its port ${port.reason}` }
  // A server that was stopped in order says so in its control file; any other state is that of a crash.
  const clean = directory.control.state.startsWith('shut down')
  return clean
    ? { state: 'stopped', because: 'it is stopped' }
    : {
        state: 'failed',
        because: `it does not run, and it was not shut down: its control file says "${directory.control.state}"`,
      }
}

function roleAndTimeline({ directory }: NodeObservation): Pick<NodeStatus, 'role' | 'timeline'> {
  if (directory.kind !== 'data') return { role: 'unknown', timeline: null }
  return { role: directory.standbySignal ? 'standby' : 'primary', timeline: directory.control.timeline }
}
