import { join } from 'node:path'
import { MaestraError } from '@maestra/client/base/error'
import type { Secret } from '@maestra/client/base/secret'
import { type DeclaredCluster, superuser } from '../cluster/declared-cluster.js'
import { loadCluster } from '../cluster/load-cluster.js'
import { passfileLines } from '../cluster/node-configuration.js'
import { clusterFileText } from '../cluster/print-cluster-file.js'
import type { Host } from '../host/host.js'
import { sandboxMarker } from './take-down.js'

/** The cluster file of every sandbox, in its directory. */
const sandboxClusterFile = 'maestra.yaml'

/** What a throw-away server is spared: waiting for a disk, and sockets in a shared directory. */
const testParameters = {
  fsync: 'off',
  full_page_writes: 'off',
  unix_socket_directories: '',
  shared_buffers: '32MB',
}

export type SandboxPlan = {
  readonly directory: string
  readonly name: string
  readonly major: number
  /** The first is the primary's. */
  readonly ports: readonly number[]
  readonly parameters: Readonly<Record<string, string>>
  readonly superuserPassword: Secret
}

/** Writes the cluster file of a sandbox and its passfile, and reads it as any other cluster file is read. */
export async function writeSandboxCluster(host: Host, plan: SandboxPlan): Promise<DeclaredCluster> {
  const { directory } = plan
  const file = join(directory, sandboxClusterFile)
  await host.files.makeDirectory(directory, { mode: 0o711 })
  await host.files.write(join(directory, sandboxMarker), 'Maestra made this directory and removes it.\n', {
    mode: 0o600,
  })
  await host.files.write(file, textOf(plan), { mode: 0o600 })
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

function textOf({ name, major, ports, parameters }: SandboxPlan): string {
  return clusterFileText({
    cluster: name,
    version: major,
    nodes: ports.map((port, index) => ({
      name: `db${index + 1}`,
      port,
      data: `./db${index + 1}`,
      primary: index === 0,
    })),
    parameters: { ...testParameters, ...parameters },
  })
}
