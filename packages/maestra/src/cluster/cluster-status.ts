import { bytesBetween, formatLsn, type Lsn } from '@maestra/client/postgres/lsn'
import {
  addressOf,
  type DeclaredCluster,
  type DeclaredNode,
  primaryOf,
  slotName,
  upstreamOf,
  upstreamsOf,
} from './declared-cluster.js'
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
  | 'delayed'
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
  /**
   * The node that a standby streams from, null when that is none of the cluster; when it does not stream, the one that it is
   * declared to follow. Null for the primary.
   */
  readonly follows: string | null
  /** Primary: written. Standby: replayed. */
  readonly lsn: string | null
  /** Bytes of WAL that the primary has written and this standby has not replayed. */
  readonly lagBytes: number | null
  /**
   * How long ago, at most, the primary had what this standby has, in ms; 0 when it has everything, however idle the
   * primary is; null when not measured yet.
   */
  readonly lagMs: number | null
  /** `sync_state` at the node that it follows: async, potential, sync, quorum. */
  readonly sync: string | null
  readonly slot: string | null
  /** Settings that were changed and take a restart. */
  readonly pendingRestart: readonly string[]
  /** The WAL file that could not be archived, when nothing has been since, and how often anything failed; null else. */
  readonly failedArchiving: { readonly file: string; readonly times: number } | null
  /** Why something above is null, as a sentence about the node; null when nothing is missing. */
  readonly unknown: string | null
}

export function clusterStatus(cluster: DeclaredCluster, observation: Observation): ClusterStatus {
  const primary = findPrimary(cluster, observation)
  return {
    cluster: cluster.name,
    primary: primary?.name ?? null,
    nodes: cluster.nodes.map((node) => nodeStatus({ cluster, observation, primary: primary?.server }, node)),
  }
}

/** Whether a primary runs, every standby streams or replays late as declared, WAL is archived where it should be, and nothing is doubtful. */
export function isHealthy({ primary, nodes }: ClusterStatus): boolean {
  return primary !== null && nodes.every(isWell)
}

function isWell({ role, state, failedArchiving, unknown }: NodeStatus): boolean {
  if (unknown !== null || failedArchiving !== null) return false
  return role === 'primary' ? state === 'running' : ['streaming', 'catchup', 'delayed'].includes(state)
}

/** What the row of one node is made from. */
type Seen = {
  readonly cluster: DeclaredCluster
  readonly observation: Observation
  /** The server that is the primary now. */
  readonly primary: RunningServer | undefined
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

function nodeStatus(seen: Seen, node: DeclaredNode): NodeStatus {
  const found = observed(seen.observation, node.name)
  if (found.server.kind !== 'up') return silentNode(seen, node, found)
  return found.server.inRecovery ? standbyStatus(seen, node, found.server) : primaryStatus(node, found.server)
}

/** The server of a node that answers. */
function serverOf({ observation }: Seen, node: DeclaredNode | undefined): RunningServer | undefined {
  const server = node === undefined ? undefined : observed(observation, node.name).server
  return server?.kind === 'up' ? server : undefined
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
    follows: null,
    lsn: formatLsn(server.lsn),
    lagBytes: null,
    lagMs: null,
    sync: null,
    slot: null,
    pendingRestart: server.pendingRestart,
    failedArchiving: server.failedArchiving ?? null,
    unknown: null,
  }
}

function standbyStatus(seen: Seen, node: DeclaredNode, server: RunningServer): NodeStatus {
  const upstream = followed(seen, node, server)
  const sender = senderOf(node, serverOf(seen, upstream))
  const { lagBytes, lagMs, unknown } = lag(seen, node, server)
  return {
    name: node.name,
    role: 'standby',
    state: standbyState(server, sender),
    host: node.host,
    port: node.port,
    version: server.version.text,
    timeline: server.timeline,
    follows: upstream?.name ?? null,
    lsn: formatLsn(server.lsn),
    lagBytes,
    lagMs,
    sync: sender?.sync ?? null,
    slot: server.walReceiver?.slot ?? declaredSlot(node, serverOf(seen, upstream)),
    pendingRestart: server.pendingRestart,
    failedArchiving: server.failedArchiving ?? null,
    unknown,
  }
}

/** The node that a standby streams from, undefined when that is none of the cluster; else the one that is declared. */
function followed({ cluster }: Seen, node: DeclaredNode, server: RunningServer): DeclaredNode | undefined {
  const declared = upstreamOf(cluster, node) ?? primaryOf(cluster)
  const receiver = server.walReceiver
  if (receiver?.status !== 'streaming') return declared
  const others = cluster.nodes.filter((each) => each !== node && each !== declared)
  return [declared, ...others].find((each) => {
    const { host, port } = addressOf(each, node)
    return host === receiver.host && port === receiver.port
  })
}

/** A connection that broke may linger beside the one that took its place. */
function senderOf(node: DeclaredNode, upstream: RunningServer | undefined): WalSender | undefined {
  const senders = upstream?.walSenders.filter((each) => each.node === node.name) ?? []
  return senders.find((each) => each.state === 'streaming') ?? senders[0]
}

/** One that waits for its delay may have nothing to stream for as long. */
function standbyState(server: RunningServer, sender: WalSender | undefined): NodeState {
  if (server.replayPaused) return 'paused'
  const streams = server.walReceiver?.status === 'streaming'
  if (server.waitsForDelay || (streams && server.applyDelayMs > 0)) return 'delayed'
  if (!streams) return server.walReceiver === undefined ? 'running' : 'starting'
  return sender?.state === 'catchup' ? 'catchup' : 'streaming'
}

type Lag = Pick<NodeStatus, 'lagBytes' | 'lagMs' | 'unknown'>

/**
 * Positions first, clocks only where they differ: on an idle primary the last transaction grows old while nothing is
 * missing. The two servers are not asked at the same instant, so a standby may be seen ahead of its primary.
 */
function lag(seen: Seen, node: DeclaredNode, server: RunningServer): Lag {
  const { primary } = seen
  const unmeasured = (unknown: string): Lag => ({ lagBytes: null, lagMs: null, unknown })
  if (primary === undefined) return unmeasured('no primary can be seen, so nobody knows how far it is behind')
  if (primary.systemIdentifier !== server.systemIdentifier) {
    return unmeasured(`it is of system ${server.systemIdentifier}, and the primary of ${primary.systemIdentifier}`)
  }
  const sender = senderOf(node, serverOf(seen, followed(seen, node, server)))
  const lagBytes = Math.max(0, bytesBetween(furthest(server.lsn, sender?.replayLsn), primary.lsn))
  if (lagBytes === 0) return { lagBytes: 0, lagMs: 0, unknown: null }
  return { lagBytes, lagMs: lagMs(seen, node, server), unknown: null }
}

/**
 * Null where it was not measured yet: WAL was written a moment ago, or nothing was ever replayed. Each WAL sender measures the
 * way from its own server, so in a chain the times add up.
 */
function lagMs(seen: Seen, node: DeclaredNode, server: RunningServer): number | null {
  const ways = [node, ...upstreamsOf(seen.cluster, node).slice(0, -1)].map((each) => way(seen, each))
  const times = ways.flatMap((each) => each?.replayLagMs ?? [])
  const sum = times.length < ways.length ? undefined : times.reduce((total, ms) => total + ms, 0)
  const measured = ways.includes(undefined) ? server.sinceLastReplayMs : sum
  return measured === undefined ? null : Math.max(0, Math.round(measured))
}

/** The WAL sender of a standby that replays what it receives; undefined where it does not, or holds commits back. */
function way(seen: Seen, standby: DeclaredNode): WalSender | undefined {
  const server = serverOf(seen, standby)
  if (server?.walReceiver?.status !== 'streaming' || server.replayPaused || server.applyDelayMs > 0) return undefined
  return senderOf(standby, serverOf(seen, followed(seen, standby, server)))
}
function furthest(own: Lsn, reported: Lsn | undefined): Lsn {
  return reported !== undefined && reported > own ? reported : own
}

function declaredSlot(node: DeclaredNode, upstream: RunningServer | undefined): string | null {
  const name = slotName(node.name)
  return upstream?.slots.some((slot) => slot.name === name) ? name : null
}

/** A node whose server cannot be asked: what its files and processes say, and what its upstream keeps for it. */
function silentNode(seen: Seen, node: DeclaredNode, found: NodeObservation): NodeStatus {
  const { directory } = found
  const { state, because } = silence(seen.cluster, node, found)
  const standby = directory.kind === 'data' && directory.standbySignal
  const upstream = upstreamOf(seen.cluster, node)
  return {
    name: node.name,
    role: directory.kind !== 'data' ? 'unknown' : standby ? 'standby' : 'primary',
    state,
    host: node.host,
    port: node.port,
    version: null,
    timeline: directory.kind === 'data' ? directory.control.timeline : null,
    follows: standby ? (upstream?.name ?? null) : null,
    lsn: null,
    lagBytes: null,
    lagMs: null,
    sync: null,
    slot: standby ? declaredSlot(node, serverOf(seen, upstream)) : null,
    pendingRestart: [],
    failedArchiving: null,
    unknown: because,
  }
}

/** The reason is a sentence about the node. */
function silence(
  cluster: DeclaredCluster,
  { name, data }: DeclaredNode,
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
  const made = directory.madeFor
  const isOther = made !== undefined && (made.node !== name || made.cluster !== cluster.name)
  const other = isOther ? `; ${data} was made for ${made.node} of cluster ${made.cluster}` : ''
  // A server that was stopped in order says so in its control file; any other state is that of a crash.
  return directory.control.state.startsWith('shut down')
    ? { state: 'stopped', because: `it is stopped${taken}${other}` }
    : {
        state: 'failed',
        because: `it does not run, and it was not shut down: its control file says "${directory.control.state}"${taken}${other}`,
      }
}
