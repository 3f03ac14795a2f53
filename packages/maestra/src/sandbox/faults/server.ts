import { join } from 'node:path'
import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import { MaestraError } from '@maestra/client/base/error'
import type { DeclaredCluster, DeclaredNode } from '../../cluster/declared-cluster.js'
import { serverAccount } from '../../server/account.js'
import { observeProcess, startServer } from '../../server/postmaster.js'
import { freezeServer, killServer, thawServer } from '../../server/server-processes.js'
import { binariesOf } from '../../server/site.js'
import { inTurn } from '../in-turn.js'
import { keeperLives, startKeeper } from '../keeper/keeper-process.js'
import { linksOf, roleOf } from '../sandbox-cluster.js'
import { clusterOf, nodeOf, type SandboxContext } from '../sandbox-context.js'
import { copyOnceMore, follow, followAgain, followInTurn } from './follow.js'

/** How long a server that another process started may take to become ready, in ms. */
const startTimeoutMs = 120_000
/** And a keeper. */
const keeperTimeoutMs = 5_000

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
  const node = nodeOf(await clusterOf(context), name)
  await thawServer(context.site.host, serverOf(node)).catch((error) => {
    throw withStartHint(error, context, node)
  })
  await followInTurn(context, name)
}

/** Starts the server of a node, unless it runs. A replica goes on with the primary that there is by now. */
export async function start(context: SandboxContext, name: string): Promise<void> {
  await inTurn(context, async () => {
    const cluster = await clusterOf(context)
    const node = nodeOf(cluster, name)
    await startNode(context, cluster, node)
    await followAgain(context, cluster, node)
  })
}

/** Starts whatever of a sandbox does not run: its keeper, its primaries, its replicas. */
export async function startAll(context: SandboxContext): Promise<void> {
  await inTurn(context, () => startAllInTurn(context))
}

async function startAllInTurn(context: SandboxContext): Promise<void> {
  const { site, sandbox, signal } = context
  const cluster = await clusterOf(context)
  if (!(await keeperLives(site.host, sandbox.record.directory))) {
    await startKeeper(site.host, sandbox, linksOf(cluster), signal).catch((error) => othersKeeper(context, error))
  }
  const standbys = cluster.nodes.filter((node) => roleOf(node) === 'standby')
  const primaries = cluster.nodes.filter((node) => !standbys.includes(node))
  await Promise.all(primaries.map((node) => startNode(context, cluster, node)))
  await Promise.all(standbys.map((node) => startNode(context, cluster, node)))
  await Promise.all(standbys.map((node) => follow(context, cluster, node)))
}

/** Waits for the keeper that another command is starting, where that is why this one could not start its own. */
async function othersKeeper({ site, sandbox, signal }: SandboxContext, why: unknown): Promise<void> {
  if (!(why instanceof MaestraError) || why.code !== 'port-taken') throw why
  const { name, directory } = sandbox.record
  await waitUntil(
    async () =>
      (await keeperLives(site.host, directory))
        ? { done: true, value: undefined }
        : { done: false, seen: 'its ports are taken' },
    {
      awaited: `the keeper of sandbox ${name} to start`,
      deadline: Deadline.after(keeperTimeoutMs),
      everyMs: 5,
      signal,
    },
  ).catch(() => {
    throw why
  })
}

async function startNode(context: SandboxContext, cluster: DeclaredCluster, node: DeclaredNode): Promise<void> {
  const { site, signal } = context
  if (roleOf(node) === 'standby' && (await site.host.files.stat(node.data)) === undefined) {
    await copyOnceMore(context, cluster, node)
    return
  }
  const file = join(node.data, 'postmaster.pid')
  const left = await site.host.files.readText(file)
  if (await isRunning(context, node)) return
  const binaries = await binariesOf(site, cluster.postgres)
  if (binaries.kind === 'missing') {
    throw new MaestraError(
      'no-binaries',
      `no PostgreSQL ${cluster.postgres.version} was found in ${binaries.looked.join(', ')}`,
    )
  }
  // No process of it runs; one that nobody has reaped would look to PostgreSQL as if it did. Another command may have
  // started it meanwhile: then this is another file.
  if (left !== undefined && left === (await site.host.files.readText(file))) await site.host.files.removeFile(file)
  const account = await serverAccount(site.host, node.data, cluster)
  await startServer(site.host, { ...serverOf(node), account, binaries, signal }).catch(async (error) => {
    // Another command may have been faster.
    if (!(await isRunning(context, node))) throw error
  })
}

/** Whether its server runs; one that starts still is waited for. */
async function isRunning({ site: { host }, signal }: SandboxContext, { name, data }: DeclaredNode): Promise<boolean> {
  return await waitUntil(
    async () => {
      const found = await observeProcess(host, data)
      if (found.kind === 'unknown') throw new MaestraError('server-did-not-start', `${name}: ${found.because}`)
      return found.kind === 'running' && found.status === 'starting'
        ? { done: false, seen: 'it is starting' }
        : { done: true, value: found.kind === 'running' }
    },
    { awaited: `${name} (${data}) to take connections`, deadline: Deadline.after(startTimeoutMs), everyMs: 5, signal },
  )
}

function serverOf({ name, data }: DeclaredNode) {
  return { node: name, data }
}

function withStartHint(error: unknown, { sandbox }: SandboxContext, { name }: DeclaredNode): unknown {
  if (!(error instanceof MaestraError) || error.code !== 'node-not-running') return error
  const hint = `start it: maestra sandbox start ${name} --name ${sandbox.record.name}`
  return new MaestraError(error.code, error.message, { hint, cause: error })
}
