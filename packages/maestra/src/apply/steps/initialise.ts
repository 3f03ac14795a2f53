import { nodeConfiguration } from '../../cluster/node-configuration.js'
import { serverAccount } from '../../server/account.js'
import { bringIn } from '../../server/incoming.js'
import { writeNodeFiles } from '../../server/node-files.js'
import { needsSync, passfileOf } from '../node-facts.js'
import type { StepContext, StepRunner } from '../step-runner.js'
import { trySettings } from '../try-configurations.js'

/** A new, configured data directory for the node that starts as primary. */
export const initialise: StepRunner<'initialise'> = {
  check: async (step, context) => !(await hasData(context, step.node)),
  run: async (step, context) => {
    const { site, cluster, signal } = context
    const node = context.node(step.node)
    const [account, binaries, passwords] = await Promise.all([
      serverAccount(site.host, node.data, cluster),
      context.binaries(),
      context.passwords(),
    ])
    if (passwords.superuser === undefined) throw new Error('the passfile is written before a node is initialised')
    const password = passwords.superuser
    await bringIn(site.host, { data: node.data, account, sync: needsSync(node) }, async (directory, scratch) => {
      await context.initialise({ site, binaries, account, directory, scratch, password, signal })
      const configuration = nodeConfiguration(cluster, node)
      await trySettings(context, node, configuration.settings, directory)
      await writeNodeFiles(site.host, directory, account, configuration, passfileOf(cluster, passwords.replication))
    })
  },
  verify: async (step, context) =>
    (await hasData(context, step.node)) ? undefined : `${context.node(step.node).data} holds no data`,
}

async function hasData(context: StepContext, name: string): Promise<boolean> {
  return (await context.site.host.files.stat(`${context.node(name).data}/PG_VERSION`)) !== undefined
}
