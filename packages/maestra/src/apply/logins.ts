import { type DeclaredNode, superuser } from '../cluster/declared-cluster.js'
import type { Login } from '../server/connection.js'
import type { StepContext } from './step-runner.js'

/** The superuser's way into a node. */
export async function superuserLogin(context: StepContext, node: DeclaredNode): Promise<Login> {
  const { superuser: password } = await context.passwords()
  return { node: node.name, host: node.host, port: node.port, user: superuser, password, kept: context.connections }
}

/** The replication role's way into a node. */
export async function replicationLogin(context: StepContext, node: DeclaredNode): Promise<Login> {
  const { replication: password } = await context.passwords()
  return { node: node.name, host: node.host, port: node.port, user: context.cluster.replication.role, password }
}
