import { formatUrl } from '@maestra/client/postgres/conninfo'
import { type DeclaredCluster, superuser } from '../cluster/declared-cluster.js'
import type { Host } from '../host/host.js'
import { observePasswords } from '../server/passfile.js'
import type { SandboxNode } from './sandbox.js'

/** The servers of a sandbox as an application connects to them. */
export async function sandboxNodes(host: Host, cluster: DeclaredCluster): Promise<readonly SandboxNode[]> {
  const { superuser: password } = await observePasswords({ host, env: {} }, cluster)
  return cluster.nodes.map((node) => ({
    name: node.name,
    role: node.startsAs,
    host: node.host,
    port: node.port,
    url: formatUrl({
      user: superuser,
      ...(password === undefined ? {} : { password: password.reveal() }),
      host: node.host,
      port: node.port,
      database: superuser,
    }),
  }))
}
