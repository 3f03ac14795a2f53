import { join } from 'node:path'
import { MaestraError } from '@maestra/client/base/error'
import type { Secret } from '@maestra/client/base/secret'
import { type DeclaredCluster, type DeclaredNode, primaryOf, superuser } from '../cluster/declared-cluster.js'
import { loadCluster } from '../cluster/load-cluster.js'
import { passfileLines } from '../cluster/node-configuration.js'
import { clusterFileText } from '../cluster/print-cluster-file.js'
import type { Host } from '../host/host.js'
import type { Link } from './keeper/keeper-request.js'
import type { SandboxRole } from './sandbox.js'
import { markSandbox } from './take-down.js'

/** The cluster file of every sandbox, in its directory. */
const sandboxClusterFile = 'maestra.yaml'

/** What a server of tests is spared: sockets in a shared directory, and memory that few of them use. */
const testParameters = {
  unix_socket_directories: '',
  shared_buffers: '32MB',
  // Files of the data directory in place of the system's shared memory, where a killed server would leave them.
  dynamic_shared_memory_type: 'mmap',
  // A replica that has lost its primary tries again after this, and not after 5 s.
  wal_retrieve_retry_interval: '100ms',
}

/** For each replica a sender and a slot, and as many again, so that all of them can be made anew at once. */
function roomFor(replicas: number): Readonly<Record<string, string>> {
  const room = 2 * replicas + 2
  // PostgreSQL's own is enough for a few.
  return room <= 10 ? {} : { max_wal_senders: String(room), max_replication_slots: String(room) }
}

/** Nothing waits for a disk. */
const throwAwayParameters = { fsync: 'off', full_page_writes: 'off' }

export type SandboxPlan = {
  readonly directory: string
  readonly name: string
  readonly major: number
  readonly durable: boolean
  /** The primary's, then each standby's. */
  readonly ports: readonly number[]
  /** Where each standby connects in place of its primary's port. */
  readonly linkPorts: readonly number[]
  readonly parameters: Readonly<Record<string, string>>
  readonly superuserPassword: Secret
}

/** Writes the cluster file of a sandbox and its passfile, and reads it as any other cluster file is read. */
export async function writeSandboxCluster(host: Host, plan: SandboxPlan): Promise<DeclaredCluster> {
  const { directory, name, major, durable, ports, linkPorts, parameters } = plan
  const file = join(directory, sandboxClusterFile)
  await host.files.makeDirectory(directory, { mode: 0o711 })
  await markSandbox(host, directory)
  const text = clusterFileText({
    cluster: name,
    version: major,
    nodes: ports.map((port, index) => ({
      name: `db${index + 1}`,
      port,
      data: `./db${index + 1}`,
      ...(index === 0 ? { primary: true } : { via: `127.0.0.1:${linkPorts[index - 1]}` }),
    })),
    parameters: {
      ...testParameters,
      ...roomFor(linkPorts.length),
      ...(durable ? {} : throwAwayParameters),
      ...parameters,
    },
  })
  await host.files.write(file, text, { mode: 0o600 })
  const cluster = await readClusterFile(host, file)
  await host.files.write(cluster.passfile, passfileLines(cluster.nodes, superuser, plan.superuserPassword), {
    mode: 0o600,
  })
  return cluster
}

/** The cluster of a sandbox that is up. */
export async function readSandboxCluster(host: Host, directory: string): Promise<DeclaredCluster> {
  return await readClusterFile(host, join(directory, sandboxClusterFile))
}

async function readClusterFile(host: Host, file: string): Promise<DeclaredCluster> {
  const text = await host.files.readText(file)
  if (text === undefined) throw new MaestraError('cluster-file-missing', `there is no ${file}`)
  const loaded = loadCluster(text, file)
  if (loaded.cluster !== undefined) return loaded.cluster
  throw new MaestraError('cluster-file-invalid', loaded.findings.map((finding) => finding.message).join('; '))
}

/** Declares another node of the sandbox to be its primary, in its cluster file. */
export async function declarePrimary(host: Host, cluster: DeclaredCluster, name: string): Promise<DeclaredCluster> {
  const text = clusterFileText({
    cluster: cluster.name,
    version: cluster.postgres.version,
    nodes: cluster.nodes.map((node) => ({
      name: node.name,
      port: node.port,
      data: `./${node.name}`,
      // One without a link follows nobody: it is the primary, or was.
      ...(node.name === name ? { primary: true } : node.via === undefined ? {} : { via: `127.0.0.1:${node.via.port}` }),
    })),
    // A sandbox declares parameters for all its nodes alike.
    parameters: primaryOf(cluster).parameters,
  })
  await host.files.write(cluster.file, text, { mode: 0o600 })
  return await readClusterFile(host, cluster.file)
}

/** What a node is to the others; a former primary is declared as a standby, and has no link to a primary. */
export function roleOf(node: DeclaredNode): SandboxRole {
  if (node.startsAs === 'primary') return 'primary'
  return node.via === undefined ? 'former-primary' : 'standby'
}

/** Where each replica connects, and where its bytes are to go. */
export function linksOf(cluster: DeclaredCluster): readonly Link[] {
  const target = primaryOf(cluster).port
  return cluster.nodes.flatMap(({ name, via }) => (via === undefined ? [] : [{ node: name, port: via.port, target }]))
}
