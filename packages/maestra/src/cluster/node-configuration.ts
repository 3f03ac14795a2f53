import { join } from 'node:path'
import { Secret } from '@maestra/client/base/secret'
import { formatSettings, settingsOf } from '@maestra/client/postgres/conf'
import { formatConninfo } from '@maestra/client/postgres/conninfo'
import { formatHbaLine, type HbaLine, hbaAddress, hbaName } from '@maestra/client/postgres/hba'
import { formatPgpassEntry } from '@maestra/client/postgres/pgpass'
import { type DeclaredCluster, type DeclaredNode, slotName, superuser } from './declared-cluster.js'

/** The files of a node's data directory that Maestra writes, relative to it. */
export const settingsFile = 'maestra.conf'
export const nodePassfile = 'maestra.pgpass'

/** Whether an error that a server finds in its configuration files (`file:line: name: error`) is about Maestra's own file. */
export function isOfSettingsFile(error: string): boolean {
  return error.includes(`/${settingsFile}:`)
}

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
  const { role, authentication } = cluster.replication
  const nodes = [...new Set(cluster.nodes.flatMap((node) => hbaAddress(node.host)))]
  const line = (database: string, user: string, method: string) => (address: string) =>
    ({ type: 'host', database, user, address, method }) as const
  return [
    ...nodes.map(line('replication', hbaName(role), authentication)),
    ...nodes.filter((address) => !letInByInitdb.includes(address)).map(line('all', superuser, 'scram-sha-256')),
    ...cluster.allow.flatMap(hbaAddress).map(line('all', 'all', 'scram-sha-256')),
  ]
}

/** Addresses from which the pg_hba.conf of a new data directory lets everybody in who has a password. */
const letInByInitdb: readonly string[] = ['127.0.0.1/32', '::1/128']

/** Maestra's block of pg_hba.conf as text, for comparing. */
export function hbaBlockText(lines: readonly HbaLine[]): string {
  return lines.map(formatHbaLine).join('\n')
}

/** Lines of a passfile that give a user's password for these nodes. */
export function passfileLines(nodes: readonly DeclaredNode[], user: string, password: Secret): string {
  return nodes
    .map(({ host, port }) =>
      formatPgpassEntry({ host, port: String(port), database: '*', user, password: password.reveal() }),
    )
    .map((line) => `${line}\n`)
    .join('')
}

/** The content of the passfile in a node's data directory, by which a standby logs in at its primary. */
export function nodePassfileText(cluster: DeclaredCluster, replicationPassword: Secret): Secret {
  return new Secret(passfileLines(cluster.nodes, cluster.replication.role, replicationPassword))
}

/** Which node of which cluster a settings file was written for. */
export function madeFor(settings: string): { readonly cluster: string; readonly node: string } | undefined {
  const found = settingsOf(settings)
  const cluster = found['maestra.cluster']
  const node = found['maestra.node']
  return cluster === undefined || node === undefined ? undefined : { cluster, node }
}
