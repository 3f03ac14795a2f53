import type { ServerVersionMajor } from '@maestra/client/postgres/version'
import type { HostAndPort } from './address.js'

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
  /** Where this node reaches its primary, when that is not the primary's own address. */
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

/** The node whose WAL a standby receives; undefined for the primary. */
export function upstreamOf(cluster: DeclaredCluster, node: DeclaredNode): DeclaredNode | undefined {
  return node.startsAs === 'primary' ? undefined : primaryOf(cluster)
}

/** Where a standby reaches the primary that it follows. */
export function addressOf(primary: DeclaredNode, standby: DeclaredNode): HostAndPort {
  return standby.via ?? { host: primary.host, port: primary.port }
}

export function standbysOf(cluster: DeclaredCluster): readonly DeclaredNode[] {
  return cluster.nodes.filter((node) => node.startsAs === 'standby')
}
