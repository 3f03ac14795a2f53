import { join } from 'node:path'
import { Secret } from '@maestra/client/base/secret'
import { formatSettings, settingsOf } from '@maestra/client/postgres/conf'
import { formatConninfo } from '@maestra/client/postgres/conninfo'
import type { HbaLine } from '@maestra/client/postgres/hba'
import { formatPgpassEntry } from '@maestra/client/postgres/pgpass'
import type { HostAndPort } from './address.js'
import { archiveSettings, restoreSettings } from './archive-settings.js'
import {
  addressOf,
  type DeclaredCluster,
  type DeclaredNode,
  followersOf,
  slotName,
  upstreamOf,
} from './declared-cluster.js'
import { declaredHbaLines, hbaLineText } from './declared-hba-lines.js'
import { onceForEach } from './once-for-each.js'
import { defaultSlotWalKeepSize } from './slot-wal-keep-size.js'

/** The files of a node's data directory that Maestra writes, relative to it. */
export const settingsFile = 'maestra.conf'
export const nodePassfile = 'maestra.pgpass'

/** The file in which ALTER SYSTEM keeps what it sets; PostgreSQL reads it after all others. */
export const autoConfFile = 'postgresql.auto.conf'

/** The setting by which a node's file tells which standbys were declared to follow it when it was written. */
export const standbysSetting = 'maestra.standbys'

/** Says whose directory a settings file is in. */
export const nodeSetting = 'maestra.node'

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

/**
 * Settings that a file goes on telling for now, other than declared, since something else has to come first; null for
 * one that it does not tell yet.
 */
export type HeldSettings = Readonly<Record<string, string | null>>

/** What the files of a node should say. */
export function nodeConfiguration(
  cluster: DeclaredCluster,
  node: DeclaredNode,
  held: HeldSettings = {},
): NodeConfiguration {
  return { settings: settingsText(cluster, node, held), hbaLines: declaredHbaLines(cluster, node) }
}

function settingsText(cluster: DeclaredCluster, node: DeclaredNode, held: HeldSettings): string {
  const header = [
    `Maestra's settings for node ${node.name} of cluster ${cluster.name}.`,
    `Declared in ${cluster.file}; apply writes this file anew, so change them there.`,
  ].join('\n')
  const upstream = upstreamOf(cluster, node)
  const declared: HeldSettings = {
    'maestra.cluster': cluster.name,
    [nodeSetting]: node.name,
    listen_addresses: node.host,
    ...archiveSettings(cluster),
    ...(upstream === undefined ? {} : restoreSettings(cluster)),
    ...node.parameters,
    port: String(node.port),
    cluster_name: node.name,
    hot_standby: 'on',
    ...(upstream === undefined ? {} : followSettings(cluster, node, upstream)),
    ...leadSettings(cluster, node),
    ...('max_slot_wal_keep_size' in node.parameters ? {} : { max_slot_wal_keep_size: defaultSlotWalKeepSize }),
  }
  const told = Object.entries({ ...declared, ...held }).flatMap(([name, value]) =>
    value === null ? [] : [[name, value] as const],
  )
  return formatSettings(header, Object.fromEntries(told))
}

/** In one order, so that nodes may change places in the cluster file. */
function leadSettings(cluster: DeclaredCluster, node: DeclaredNode): Readonly<Record<string, string>> {
  const names = followersOf(cluster, node).map(({ name }) => name)
  return names.length === 0 ? {} : { [standbysSetting]: names.toSorted().join(' ') }
}

function followSettings(
  cluster: DeclaredCluster,
  node: DeclaredNode,
  upstream: DeclaredNode,
): Readonly<Record<string, string>> {
  const { host, port } = addressOf(upstream, node)
  return {
    primary_conninfo: formatConninfo({
      host,
      port: String(port),
      user: cluster.replication.role,
      application_name: node.name,
      ...(cluster.replication.authentication === 'trust' ? {} : { passfile: join(node.data, nodePassfile) }),
    }),
    primary_slot_name: slotName(node.name),
  }
}

/** Maestra's block of pg_hba.conf as text, for comparing. */
export function hbaBlockText(lines: readonly HbaLine[]): string {
  return lines.map(hbaLineText).join('\n')
}

/** Lines of a passfile that give a user's password for these nodes. */
export function passfileLines(nodes: readonly HostAndPort[], user: string, password: Secret): string {
  return nodes
    .map(({ host, port }) =>
      formatPgpassEntry({ host, port: String(port), database: '*', user, password: password.reveal() }),
    )
    .map((line) => `${line}\n`)
    .join('')
}

/** The content of the passfile in a node's data directory, by which a standby logs in at the node that it follows. */
export function nodePassfileText(cluster: DeclaredCluster, replicationPassword: Secret): Secret {
  return nodePassfiles(cluster)(replicationPassword)
}

/** The same for all nodes, and as long as there are nodes. */
const nodePassfiles = onceForEach((cluster: DeclaredCluster) =>
  onceForEach((password: Secret) => {
    const vias = cluster.nodes.flatMap((node) => node.via ?? [])
    return new Secret(passfileLines([...cluster.nodes, ...vias], cluster.replication.role, password))
  }),
)

/** Which node of which cluster a settings file was written for. */
export function madeFor(settings: string): { readonly cluster: string; readonly node: string } | undefined {
  const found = settingsOf(settings)
  const cluster = found['maestra.cluster']
  const node = found[nodeSetting]
  return cluster === undefined || node === undefined ? undefined : { cluster, node }
}

/**
 * Names of the standbys that a node's settings file tells: those that were declared to follow it when it was written, each
 * of which may have a slot that Maestra made.
 */
export function toldStandbys(settings: Readonly<Record<string, string>>): readonly string[] {
  return (settings[standbysSetting] ?? '').split(' ').filter((name) => name !== '')
}
