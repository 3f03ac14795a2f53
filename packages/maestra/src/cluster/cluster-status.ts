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
  /**
   * How long ago, at most, the primary had what this standby has, in ms; 0 when it has everything, however idle the
   * primary is; null when not measured yet.
   */
  readonly lagMs: number | null
  /** `sync_state` at the primary: async, potential, sync, quorum. */
  readonly sync: string | null
  readonly slot: string | null
  /** Settings that were changed and take a restart. */
  readonly pendingRestart: readonly string[]
  /** Why something above is null, as a sentence about the node; null when nothing is missing. */
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

/** Whether a primary runs, every standby streams, and nothing about them is doubtful. */
export function isHealthy({ primary, nodes }: ClusterStatus): boolean {
  return primary !== null && nodes.every(isWell)
}

function isWell({ role, state, unknown }: NodeStatus): boolean {
  if (unknown !== null) return false
  return role === 'primary' ? state === 'running' : state === 'streaming' || state === 'catchup'
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
  if (server.kind !== 'up') return silentNode(node, seen, primary)
  return server.inRecovery ? standbyStatus(node, server, primary) : primaryStatus(node, server)
}

// The keys stand in the order of the document, in every row.
function primaryStatus({ name, host, port }: DeclaredNode, server: RunningServer): NodeStatus {
  return {
    name,
    role: 'primary',
    state: 'running',
    host,
    port,
    version: server.version.text,
    timeline: server.timeline,
    lsn: formatLsn(server.lsn),
    lagBytes: null,
    lagMs: null,
    sync: null,
    slot: null,
    pendingRestart: server.pendingRestart,
    unknown: null,
  }
}

function standbyStatus(node: DeclaredNode, server: RunningServer, primary: RunningServer | undefined): NodeStatus {
  const sender = senderOf(node, primary)
  const { lagBytes, lagMs, unknown } = lag(server, sender, primary)
  return {
    name: node.name,
    role: 'standby',
    state: standbyState(server, sender),
    host: node.host,
    port: node.port,
    version: server.version.text,
    timeline: server.timeline,
    lsn: formatLsn(server.lsn),
    lagBytes,
    lagMs,
    sync: sender?.sync ?? null,
    slot: server.walReceiver?.slot ?? declaredSlot(node, primary),
    pendingRestart: server.pendingRestart,
    unknown,
  }
}

/** A connection that broke may linger beside the one that took its place. */
function senderOf(node: DeclaredNode, primary: RunningServer | undefined): WalSender | undefined {
  const senders = primary?.walSenders.filter((each) => each.node === node.name) ?? []
  return senders.find((each) => each.state === 'streaming') ?? senders[0]
}

function standbyState(server: RunningServer, sender: WalSender | undefined): NodeState {
  if (server.replayPaused) return 'paused'
  if (server.walReceiver?.status !== 'streaming') return server.walReceiver === undefined ? 'running' : 'starting'
  return sender?.state === 'catchup' ? 'catchup' : 'streaming'
}

type Lag = Pick<NodeStatus, 'lagBytes' | 'lagMs' | 'unknown'>

/**
 * Positions first, clocks only where they differ: on an idle primary the last transaction grows old while nothing is
 * missing. The two servers are not asked at the same instant, so a standby may be seen ahead of its primary.
 */
function lag(server: RunningServer, sender: WalSender | undefined, primary: RunningServer | undefined): Lag {
  const unmeasured = (unknown: string): Lag => ({ lagBytes: null, lagMs: null, unknown })
  if (primary === undefined) return unmeasured('no primary can be seen, so nobody knows how far it is behind')
  if (primary.systemIdentifier !== server.systemIdentifier) {
    return unmeasured(`it is of system ${server.systemIdentifier}, and the primary of ${primary.systemIdentifier}`)
  }
  const lagBytes = Math.max(0, bytesBetween(furthest(server.lsn, sender?.replayLsn), primary.lsn))
  if (lagBytes === 0) return { lagBytes: 0, lagMs: 0, unknown: null }
  return { lagBytes, lagMs: lagMs(server, sender), unknown: null }
}

/** Null where it was not measured yet: WAL was written a moment ago, or nothing was ever replayed. */
function lagMs(server: RunningServer, sender: WalSender | undefined): number | null {
  const follows = server.walReceiver?.status === 'streaming' && !server.replayPaused && sender !== undefined
  const measured = follows ? sender.replayLagMs : server.sinceLastReplayMs
  return measured === undefined ? null : Math.max(0, Math.round(measured))
}

function furthest(own: Lsn, reported: Lsn | undefined): Lsn {
  return reported !== undefined && reported > own ? reported : own
}

function declaredSlot(node: DeclaredNode, primary: RunningServer | undefined): string | null {
  const name = slotName(node.name)
  return primary?.slots.some((slot) => slot.name === name) ? name : null
}

/** A node whose server cannot be asked: what its files and processes say, and what the primary keeps for it. */
function silentNode(node: DeclaredNode, seen: NodeObservation, primary: RunningServer | undefined): NodeStatus {
  const { directory } = seen
  const { state, because } = silence(node, seen)
  const standby = directory.kind === 'data' && directory.standbySignal
  return {
    name: node.name,
    role: directory.kind !== 'data' ? 'unknown' : standby ? 'standby' : 'primary',
    state,
    host: node.host,
    port: node.port,
    version: null,
    timeline: directory.kind === 'data' ? directory.control.timeline : null,
    lsn: null,
    lagBytes: null,
    lagMs: null,
    sync: null,
    slot: standby ? declaredSlot(node, primary) : null,
    pendingRestart: [],
    unknown: because,
  }
}

/** The reason is a sentence about the node. */
function silence(
  { data }: DeclaredNode,
  { server, directory, process, port }: NodeObservation,
): { readonly state: NodeState; readonly because: string } {
  if (server.kind === 'starting') return { state: 'starting', because: `it takes no connections: ${server.because}` }
  if (process.kind === 'unknown') return { state: 'unreachable', because: `it cannot be looked at: ${process.because}` }
  if (server.kind === 'unreachable') return { state: 'unreachable', because: `it cannot be asked: ${server.because}` }
  if (directory.kind === 'unknown')
    return { state: 'unreachable', because: `it cannot be looked at: ${directory.because}` }
  const taken = port.kind === 'taken' ? `, and it could not listen on its port: ${port.reason}` : ''
  if (directory.kind === 'foreign') {
    return {
      state: 'stopped',
      because: `${data} holds no data of PostgreSQL, but ${directory.holds.join(', ')}${taken}`,
    }
  }
  if (directory.kind !== 'data') return { state: 'stopped', because: `it holds no data yet${taken}` }
  // A server that was stopped in order says so in its control file; any other state is that of a crash.
  return directory.control.state.startsWith('shut down')
    ? { state: 'stopped', because: `it is stopped${taken}` }
    : {
        state: 'failed',
        because: `it does not run, and it was not shut down: its control file says "${directory.control.state}"${taken}`,
      }
}
