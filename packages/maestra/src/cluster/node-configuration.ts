import { join } from 'node:path'
import { Secret } from '@maestra/client/base/secret'
import { formatSettings, settingsOf } from '@maestra/client/postgres/conf'
import { formatConninfo } from '@maestra/client/postgres/conninfo'
import { formatHbaLine, type HbaLine, hbaAddress } from '@maestra/client/postgres/hba'
import { formatPgpassEntry } from '@maestra/client/postgres/pgpass'
import { type DeclaredCluster, type DeclaredNode, slotName } from './declared-cluster.js'

/** The files of a node's data directory that Maestra writes, relative to it. */
export const settingsFile = 'maestra.conf'
export const nodePassfile = 'maestra.pgpass'

/** What Maestra's files on a node should say. */
export type NodeConfiguration = {
  /** The whole content of the settings file. */
  readonly settings: string
  readonly hbaLines: readonly HbaLine[]
}

/** Follows the primary as a standby: the address of the primary that primary_conninfo names. */
export type Follows = { readonly upstream: DeclaredNode } | undefined

export function nodeConfiguration(cluster: DeclaredCluster, node: DeclaredNode, follows: Follows): NodeConfiguration {
  return { settings: settingsText(cluster, node, follows), hbaLines: hbaLines(cluster) }
}

function settingsText(cluster: DeclaredCluster, node: DeclaredNode, follows: Follows): string {
  const header = [
    `Maestra's settings for node ${node.name} of cluster ${cluster.name}.`,
    `Declared in ${cluster.file}; apply writes this file anew, so change them there.`,
  ].join('\n')
  return formatSettings(header, {
    'maestra.cluster': cluster.name,
    'maestra.node': node.name,
    listen_addresses: node.host,
    ...node.parameters,
    port: String(node.port),
    cluster_name: node.name,
    hot_standby: 'on',
    ...(follows === undefined ? {} : followSettings(cluster, node, follows.upstream)),
  })
}

function followSettings(
  cluster: DeclaredCluster,
  node: DeclaredNode,
  upstream: DeclaredNode,
): Readonly<Record<string, string>> {
  return {
    primary_conninfo: formatConninfo({
      host: upstream.host,
      port: String(upstream.port),
      user: cluster.replication.role,
      application_name: node.name,
      ...(cluster.replication.authentication === 'trust' ? {} : { passfile: join(node.data, nodePassfile) }),
    }),
    primary_slot_name: slotName(node.name),
  }
}

/** Every node may one day be the primary, so all of them let the same connections in. */
function hbaLines(cluster: DeclaredCluster): readonly HbaLine[] {
  const hosts = [...new Set(cluster.nodes.flatMap((node) => hbaAddress(node.host)))]
  const replication = hosts.map((address) => ({
    type: 'host' as const,
    database: 'replication',
    user: cluster.replication.role,
    address,
    method: cluster.replication.authentication,
  }))
  const applications = cluster.allow.flatMap(hbaAddress).map((address) => ({
    type: 'host' as const,
    database: 'all',
    user: 'all',
    address,
    method: 'scram-sha-256',
  }))
  return [...replication, ...applications]
}

/** Maestra's block of pg_hba.conf as text, for comparing. */
export function hbaBlockText(lines: readonly HbaLine[]): string {
  return lines.map(formatHbaLine).join('\n')
}

/** Lines of a passfile that give the password for every node of the cluster. */
export function passfileLines(cluster: DeclaredCluster, user: string, password: Secret): string {
  return cluster.nodes
    .map((node) =>
      formatPgpassEntry({ host: node.host, port: String(node.port), database: '*', user, password: password.reveal() }),
    )
    .map((line) => `${line}\n`)
    .join('')
}

/** The content of the passfile in a node's data directory, by which a standby logs in at its primary. */
export function nodePassfileText(cluster: DeclaredCluster, replicationPassword: Secret): Secret {
  return new Secret(passfileLines(cluster, cluster.replication.role, replicationPassword))
}

/** Which node of which cluster a settings file was written for. */
export function madeFor(settings: string): { readonly cluster: string; readonly node: string } | undefined {
  const found = settingsOf(settings)
  const cluster = found['maestra.cluster']
  const node = found['maestra.node']
  return cluster === undefined || node === undefined ? undefined : { cluster, node }
}
