import { join } from 'node:path'
import { MaestraError } from '@maestra/client/base/error'
import type { DeclaredCluster, DeclaredNode } from '../../cluster/declared-cluster.js'
import { serverAccount } from '../../server/account.js'
import { observeProcess, startServer } from '../../server/postmaster.js'
import { freezeServer, killServer, thawServer } from '../../server/server-processes.js'
import { binariesOf } from '../../server/site.js'
import { keeperLives, startKeeper } from '../keeper/keeper-process.js'
import { linksOf, roleOf } from '../sandbox-cluster.js'
import { clusterOf, nodeOf, type SandboxContext } from '../sandbox-context.js'
import { follow } from './follow.js'

/** SIGKILL for every process of a node's server. */
export async function kill(context: SandboxContext, name: string): Promise<void> {
  await killServer(context.site.host, serverOf(nodeOf(await clusterOf(context), name)))
}

/** SIGSTOP for every process of a node's server. */
export async function freeze(context: SandboxContext, name: string): Promise<void> {
  const node = nodeOf(await clusterOf(context), name)
  await freezeServer(context.site.host, serverOf(node)).catch((error) => {
    throw withStartHint(error, context, node)
  })
}

/** SIGCONT for every process of a node's server. A replica goes on with the primary that there is by now. */
export async function thaw(context: SandboxContext, name: string): Promise<void> {
  const cluster = await clusterOf(context)
  const node = nodeOf(cluster, name)
  await thawServer(context.site.host, serverOf(node)).catch((error) => {
    throw withStartHint(error, context, node)
  })
  if (roleOf(node) === 'standby') await follow(context, cluster, node)
}

/** Starts the server of a node, unless it runs. A replica goes on with the primary that there is by now. */
export async function start(context: SandboxContext, name: string): Promise<void> {
  const cluster = await clusterOf(context)
  const node = nodeOf(cluster, name)
  await startNode(context, cluster, node)
  if (roleOf(node) === 'standby') await follow(context, cluster, node)
}

/** Starts whatever of a sandbox does not run: its keeper, its primaries, its replicas. */
export async function startAll(context: SandboxContext): Promise<void> {
  const { site, sandbox, signal } = context
  const cluster = await clusterOf(context)
  if (!(await keeperLives(site.host, sandbox.record.directory))) {
    await startKeeper(site.host, sandbox, linksOf(cluster), signal)
  }
  const standbys = cluster.nodes.filter((node) => roleOf(node) === 'standby')
  const primaries = cluster.nodes.filter((node) => !standbys.includes(node))
  await Promise.all(primaries.map((node) => startNode(context, cluster, node)))
  await Promise.all(standbys.map((node) => startNode(context, cluster, node)))
  await Promise.all(standbys.map((node) => follow(context, cluster, node)))
}

async function startNode(context: SandboxContext, cluster: DeclaredCluster, node: DeclaredNode): Promise<void> {
  const { site, signal } = context
  const found = await observeProcess(site.host, node.data)
  if (found.kind === 'running') return
  if (found.kind === 'unknown') throw new MaestraError('server-did-not-start', `${node.name}: ${found.because}`)
  const binaries = await binariesOf(site, cluster.postgres)
  if (binaries.kind === 'missing') {
    throw new MaestraError(
      'no-binaries',
      `no PostgreSQL ${cluster.postgres.version} was found in ${binaries.looked.join(', ')}`,
    )
  }
  // No process of it runs; one that nobody has reaped would look to PostgreSQL as if it did.
  await site.host.files.removeFile(join(node.data, 'postmaster.pid'))
  const account = await serverAccount(site.host, node.data)
  await startServer(site.host, { ...serverOf(node), account, binaries, signal })
}

function serverOf({ name, data }: DeclaredNode) {
  return { node: name, data }
}

function withStartHint(error: unknown, { sandbox }: SandboxContext, { name }: DeclaredNode): unknown {
  if (!(error instanceof MaestraError) || error.code !== 'node-not-running') return error
  const hint = `start it: maestra sandbox start ${name} --name ${sandbox.record.name}`
  return new MaestraError(error.code, error.message, { hint, cause: error })
}
