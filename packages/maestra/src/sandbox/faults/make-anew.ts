import { join } from 'node:path'
import { settingsOf } from '@maestra/client/postgres/conf'
import { parseMilliseconds } from '@maestra/client/postgres/setting-value'
import { runStep } from '../../apply/run-step.js'
import { stepContext } from '../../apply/step-context.js'
import { type DeclaredCluster, type DeclaredNode, primaryOf, slotName } from '../../cluster/declared-cluster.js'
import { autoConfFile } from '../../cluster/node-configuration.js'
import type { Host } from '../../host/host.js'
import type { Step } from '../../plan/step.js'
import { KeptConnections } from '../../server/connection.js'
import { delayReplay } from '../../server/replay.js'
import { killServer } from '../../server/server-processes.js'
import { loginOf, type SandboxContext } from '../sandbox-context.js'

/**
 * Replaces a replica of a sandbox by a new copy of the primary. Its data is test data, and goes. `around` gets what copies and
 * starts it, when its server of before is gone.
 */
export async function makeAnew(
  context: SandboxContext,
  cluster: DeclaredCluster,
  node: DeclaredNode,
  around: (bringUp: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const { host } = context.site
  context.signal.throwIfAborted()
  const delayMs = await lagOf(context, node)
  await killServer(host, { node: node.name, data: node.data })
  await removeData(host, node)
  const connections = new KeptConnections()
  const steps = stepContext({
    connections,
    site: context.site,
    cluster,
    initialise: () => Promise.reject(new Error('a replica is not initialised')),
    onProgress: () => {},
    signal: context.signal,
  })
  try {
    await around(async () => {
      for (const step of stepsOf(cluster, node)) {
        context.signal.throwIfAborted()
        await runStep(step, steps)
      }
    })
  } finally {
    await connections.end()
  }
  if (delayMs !== undefined) await delayReplay(await loginOf(context, cluster, node), delayMs)
}

/** Out of the way in one step: what a killed process leaves half removed must not be taken for data. */
async function removeData(host: Host, { data }: DeclaredNode): Promise<void> {
  const removed = `${data}.removed`
  await host.files.removeTree(removed)
  if ((await host.files.stat(data)) === undefined) return
  await host.files.rename(data, removed)
  await host.files.removeTree(removed)
}

/** How late it was told to be, by its own files: it may not run. */
async function lagOf({ site }: SandboxContext, { data }: DeclaredNode): Promise<number | undefined> {
  const text = await site.host.files.readText(join(data, autoConfFile))
  const delay = settingsOf(text ?? '')['recovery_min_apply_delay']
  return delay === undefined ? undefined : parseMilliseconds(delay)
}

function stepsOf(cluster: DeclaredCluster, node: DeclaredNode): readonly Step[] {
  const from = primaryOf(cluster).name
  const common = { why: 'it cannot follow its new primary', disruptive: false, destructive: true, node: node.name }
  return [
    { ...common, kind: 'create-slot', node: from, slot: slotName(node.name), standby: node.name },
    { ...common, kind: 'copy-primary', from },
    { ...common, kind: 'start' },
    { ...common, kind: 'await-streaming', from },
  ]
}
