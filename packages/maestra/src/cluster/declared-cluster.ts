import type { ServerVersionMajor } from '@maestra/client/postgres/version'
import type { HostAndPort } from './address.js'
import { onceForEach } from './once-for-each.js'

/** What should be: a cluster file, read and completed with its defaults. Paths are absolute. */
export type DeclaredCluster = {
  readonly name: string
  /** The cluster file, absolute. */
  readonly file: string
  readonly postgres: {
    readonly version: ServerVersionMajor
    /** The directory of the PostgreSQL programs, when the file names one. */
    readonly bin: string | undefined
  }
  /** In the order of the file. */
  readonly nodes: readonly DeclaredNode[]
  readonly replication: {
    readonly role: string
    readonly authentication: Authentication
  }
  readonly baseBackup: DeclaredBaseBackup
  /** Addresses (CIDR, or a host name) from which applications may connect, with a password. */
  readonly allow: readonly string[]
  /** Where WAL is archived, when the file says so; the directory is absolute. */
  readonly archive?: { readonly directory: string } | undefined
  /**
   * A file in the form of .pgpass with the passwords of this cluster, absolute; Maestra makes it when it is missing.
   */
  readonly passfile: string
}

export type Authentication = 'scram-sha-256' | 'trust'

/** How the data of the primary is copied for a new standby. */
export type DeclaredBaseBackup = {
  readonly with: 'maestra' | 'pg_basebackup'
  /** At once and with a burst of writes, or at the server's usual pace. */
  readonly checkpoint: 'fast' | 'spread'
  /** So many kB a second are sent at most. */
  readonly maxRateKb: number | undefined
  /** Whether contents are held to their checksums; names and sizes are in any case. */
  readonly verify: boolean
}

export type DeclaredNode = {
  readonly name: string
  /** The address at which applications and the other nodes reach this node. */
  readonly host: string
  readonly port: number
  /** The data directory, absolute. */
  readonly data: string
  /** The name of the node whose WAL it receives; the primary's unless it says so. */
  readonly follows?: string | undefined
  /** Where this node reaches its upstream, when that is not the upstream's own address. */
  readonly via?: HostAndPort | undefined
  /** Which node starts as the primary; exactly one when the rules find nothing wrong. */
  readonly startsAs: 'primary' | 'standby'
  /** The cluster's parameters with the node's own on top, as PostgreSQL reads them: `on`, `256MB`, `10`. */
  readonly parameters: Readonly<Record<string, string>>
}

/** The name of PostgreSQL's bootstrap superuser in a cluster that Maestra initialises. */
export const superuser = 'postgres'

/** The physical replication slot of a standby, named after its node. */
export function slotName(nodeName: string): string {
  return nodeName.replaceAll('-', '_')
}

/** The node that starts as primary. The rules refuse a file without one before anybody asks. */
export function primaryOf(cluster: DeclaredCluster): DeclaredNode {
  const primary = cluster.nodes.find((node) => node.startsAs === 'primary')
  if (primary === undefined) throw new Error(`cluster ${cluster.name} declares no primary`)
  return primary
}

/** The node whose WAL a standby receives, its upstream; undefined for the primary. */
export function upstreamOf(cluster: DeclaredCluster, node: DeclaredNode): DeclaredNode | undefined {
  if (node.startsAs === 'primary') return undefined
  const named = node.follows === undefined ? undefined : cluster.nodes.find((each) => each.name === node.follows)
  return named ?? primaryOf(cluster)
}

/** The standbys that receive their WAL from a node. */
export function followersOf(cluster: DeclaredCluster, node: DeclaredNode): readonly DeclaredNode[] {
  return followersInCluster(cluster).get(node) ?? []
}

const followersInCluster = onceForEach((cluster: DeclaredCluster) => {
  const found = new Map<DeclaredNode | undefined, DeclaredNode[]>()
  for (const node of cluster.nodes) {
    const upstream = upstreamOf(cluster, node)
    const others = found.get(upstream)
    if (others === undefined) found.set(upstream, [node])
    else others.push(node)
  }
  return found
})

/**
 * The nodes through which the WAL of the primary comes to a standby, its upstream first, the primary last. In a cluster that
 * breaks the rules they may lead in a circle; it is gone through once.
 */
export function upstreamsOf(cluster: DeclaredCluster, standby: DeclaredNode): readonly DeclaredNode[] {
  const found: DeclaredNode[] = []
  let next = upstreamOf(cluster, standby)
  while (next !== undefined && !found.includes(next)) {
    found.push(next)
    next = upstreamOf(cluster, next)
  }
  return found
}

/** The standbys, each behind its upstream: first all that follow the primary, then those behind them; else as in the file. */
export function standbysInChainOrder(cluster: DeclaredCluster): readonly DeclaredNode[] {
  const depths = new Map(standbysOf(cluster).map((node) => [node, upstreamsOf(cluster, node).length]))
  return standbysOf(cluster).toSorted((a, b) => (depths.get(a) ?? 0) - (depths.get(b) ?? 0))
}

/** Where a standby reaches the node that it follows. */
export function addressOf(upstream: DeclaredNode, standby: DeclaredNode): HostAndPort {
  return standby.via ?? { host: upstream.host, port: upstream.port }
}

export function standbysOf(cluster: DeclaredCluster): readonly DeclaredNode[] {
  return cluster.nodes.filter((node) => node.startsAs === 'standby')
}
