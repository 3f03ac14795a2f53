import { formatUrl } from '@maestra/client/postgres/conninfo'
import { type DeclaredCluster, superuser } from '../cluster/declared-cluster.js'
import type { Host } from '../host/host.js'
import { observePasswords } from '../server/passfile.js'
import type { SandboxRole } from './sandbox.js'
import { roleOf } from './sandbox-cluster.js'

/** Where a server of a sandbox is, and what it is to the others. */
export type SandboxServer = {
  readonly name: string
  readonly role: SandboxRole
  readonly host: string
  readonly port: number
  readonly url: string
}

/** The servers of a sandbox as an application connects to them. */
export async function sandboxServers(host: Host, cluster: DeclaredCluster): Promise<readonly SandboxServer[]> {
  const { superuser: password } = await observePasswords({ host, env: {} }, cluster)
  return cluster.nodes.map((node) => ({
    name: node.name,
    role: roleOf(node),
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
