import { MaestraError } from '@maestra/client/base/error'
import { type DeclaredCluster, type DeclaredNode, superuser } from '../cluster/declared-cluster.js'
import type { Login } from '../server/connection.js'
import { observePasswords } from '../server/passfile.js'
import type { Site } from '../server/site.js'
import { readSandboxCluster, roleOf } from './sandbox-cluster.js'
import type { RecordedSandbox } from './sandbox-record.js'

/** A sandbox that is up, as those see it who do something to it. */
export type SandboxContext = {
  readonly site: Site
  readonly sandbox: RecordedSandbox
  /** Aborted when this process stops the sandbox. */
  readonly signal: AbortSignal
}

/** The cluster as its file says right now: another process may have changed it. */
export async function clusterOf({ site, sandbox }: SandboxContext): Promise<DeclaredCluster> {
  return await readSandboxCluster(site.host, sandbox.record.directory)
}

/** Throws `bad-usage` for a name that no node has. */
export function nodeOf(cluster: DeclaredCluster, name: string): DeclaredNode {
  const found = cluster.nodes.find((node) => node.name === name)
  if (found !== undefined) return found
  const names = cluster.nodes.map((node) => node.name).join(', ')
  throw new MaestraError('bad-usage', `sandbox ${cluster.name} has no node ${name}; it has ${names}`)
}

/** A node that follows the primary. Throws `wrong-role` for another; `what` says what was asked of it. */
export async function standbyOf(context: SandboxContext, name: string, what: string): Promise<DeclaredNode> {
  const cluster = await clusterOf(context)
  const node = nodeOf(cluster, name)
  if (roleOf(node) === 'standby') return node
  const standbys = cluster.nodes.filter((each) => roleOf(each) === 'standby').map((each) => each.name)
  const role = roleOf(node) === 'primary' ? 'the primary' : 'a former primary'
  throw new MaestraError('wrong-role', `${name} is ${role} of sandbox ${cluster.name}: ${what} asks for a replica`, {
    hint: standbys.length === 0 ? 'it has no replicas' : `its replicas are ${standbys.join(', ')}`,
  })
}

/** As the superuser. */
export async function loginOf({ site }: SandboxContext, cluster: DeclaredCluster, node: DeclaredNode): Promise<Login> {
  const { superuser: password } = await observePasswords(site, cluster)
  return { node: node.name, host: node.host, port: node.port, user: superuser, password }
}
