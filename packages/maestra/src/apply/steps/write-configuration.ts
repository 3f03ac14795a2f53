import { primaryOf } from '../../cluster/declared-cluster.js'
import { hbaBlockText, type NodeConfiguration, nodeConfiguration } from '../../cluster/node-configuration.js'
import { serverAccount } from '../../server/account.js'
import { readNodeFiles, writeNodeFiles } from '../../server/node-files.js'
import { passfileOf } from '../node-facts.js'
import type { StepContext, StepRunner } from '../step-runner.js'

/** Maestra's files of a node that exists. */
export const writeConfiguration: StepRunner<'write-configuration'> = {
  check: async (step, context) => (await difference(context, step.node)) !== undefined,
  run: async (step, context) => {
    const { host } = context.site
    const { data } = context.node(step.node)
    const { replication } = await context.passwords()
    const account = await serverAccount(host, data)
    await writeNodeFiles(host, data, account, declared(context, step.node), passfileOf(context.cluster, replication))
  },
  verify: async (step, context) => await difference(context, step.node),
}

function declared(context: StepContext, name: string): NodeConfiguration {
  const node = context.node(name)
  const follows = node.startsAs === 'primary' ? undefined : { upstream: primaryOf(context.cluster) }
  return nodeConfiguration(context.cluster, node, follows)
}

async function difference(context: StepContext, name: string): Promise<string | undefined> {
  const { data } = context.node(name)
  const found = await readNodeFiles(context.site.host, data)
  const wanted = declared(context, name)
  const passfile = passfileOf(context.cluster, (await context.passwords()).replication)
  if (!found.included) return `postgresql.conf in ${data} includes no settings of Maestra`
  if (found.settings !== wanted.settings) return `the settings file in ${data} differs`
  if (found.hbaBlock?.trim() !== hbaBlockText(wanted.hbaLines).trim()) return `pg_hba.conf in ${data} differs`
  if (passfile !== undefined && found.passfile?.reveal() !== passfile.reveal()) return `the passfile in ${data} differs`
  return undefined
}
