import { slotName, upstreamOf } from '../../cluster/declared-cluster.js'
import { nodeConfiguration } from '../../cluster/node-configuration.js'
import { serverAccount } from '../../server/account.js'
import { copyPrimary as copy } from '../../server/copy-primary.js'
import { observeDirectory } from '../../server/observe-directory.js'
import { replicationLogin, superuserLogin } from '../logins.js'
import { needsSync, passfileOf } from '../node-facts.js'
import type { StepContext, StepRunner } from '../step-runner.js'
import { trySettings } from '../try-configurations.js'

/** The data directory of a standby, copied from the primary or from a standby of it, and configured as declared. */
export const copyPrimary: StepRunner<'copy-primary'> = {
  check: async (step, context) => (await directoryOf(context, step.node)).kind !== 'data',
  run: async (step, context) => {
    const { site, cluster, onProgress, receiveCopy, signal } = context
    const node = context.node(step.node)
    const from = context.node(step.from)
    const configuration = nodeConfiguration(cluster, node, step.held)
    // The copy brings the files of the node that is copied along. Before it, since it may take long.
    await trySettings(context, node, configuration.settings, from.data)
    await copy(site.host, {
      node: node.name,
      data: node.data,
      account: await serverAccount(site.host, node.data, cluster),
      binaries: await context.binaries(),
      primary: await replicationLogin(context, from),
      superuser: await superuserLogin(context, from),
      copies: from.startsAs,
      systemIdentifier: await systemIdentifierOf(context, step.from),
      slot: slotName(node.name),
      slotKeeper: await superuserLogin(context, upstreamOf(cluster, node) ?? from),
      configuration,
      passfile: passfileOf(cluster, (await context.passwords()).replication),
      baseBackup: cluster.baseBackup,
      sync: needsSync(node),
      receive: receiveCopy,
      onProgress,
      signal,
    })
  },
  verify: async (step, context) => {
    const found = await directoryOf(context, step.node)
    if (found.kind !== 'data') return `${context.node(step.node).data} holds no data`
    const expected = await systemIdentifierOf(context, step.from)
    return found.control.systemIdentifier === expected ? undefined : `it is of system ${found.control.systemIdentifier}`
  },
}

async function directoryOf(context: StepContext, name: string) {
  const { host } = context.site
  const { data } = context.node(name)
  return await observeDirectory(host, data, await serverAccount(host, data, context.cluster))
}

async function systemIdentifierOf(context: StepContext, name: string): Promise<string> {
  const directory = await directoryOf(context, name)
  return directory.kind === 'data' ? directory.control.systemIdentifier : `unknown (${directory.kind})`
}
