import { join } from 'node:path'
import { MaestraError } from '@maestra/client/base/error'
import {
  hbaBlockText,
  isOfSettingsFile,
  type NodeConfiguration,
  nodeConfiguration,
  settingsFile,
} from '../../cluster/node-configuration.js'
import { settingChanges } from '../../plan/setting-changes.js'
import type { StepOf } from '../../plan/step.js'
import { serverAccount } from '../../server/account.js'
import { configurationErrors } from '../../server/configuration-errors.js'
import { withConnection } from '../../server/connection.js'
import { readNodeFiles, writeNodeFiles } from '../../server/node-files.js'
import { observeProcess } from '../../server/postmaster.js'
import { keepSettings } from '../../server/settings-before.js'
import { superuserLogin } from '../logins.js'
import { passfileOf } from '../node-facts.js'
import type { StepContext, StepRunner } from '../step-runner.js'
import { trySettings } from '../try-configurations.js'

/** Maestra's files of a node that exists. */
export const writeConfiguration: StepRunner<'write-configuration'> = {
  check: async (step, context) => (await difference(context, step)) !== undefined,
  run: async (step, context) => {
    const { host } = context.site
    const node = context.node(step.node)
    const { data } = node
    const { replication } = await context.passwords()
    const account = await serverAccount(host, data, context.cluster)
    const before = (await readNodeFiles(host, data)).settings
    const wanted = declared(context, step)
    // What is declared was tried before the first step. This is what it is until then.
    if (step.held !== undefined) await trySettings(context, node, wanted.settings, data)
    if (settingChanges(wanted.settings, before ?? '').length > 0) await keepSettings(host, data, account)
    await writeNodeFiles(host, data, account, wanted, passfileOf(context.cluster, replication))
    const rejected = await rejectedByServer(context, step.node)
    if (rejected.length === 0) return
    // What the server would not take must not stay: it would keep it from getting up again.
    if (before !== undefined) await host.files.write(join(data, settingsFile), before, { mode: 0o600, owner: account })
    throw new MaestraError('setting-rejected', `${step.node} rejects what is declared: ${rejected.join('; ')}`, {
      hint: `correct it in ${context.cluster.file}; ${step.node} runs on with its settings of before`,
    })
  },
  verify: async (step, context) => await difference(context, step),
}

/** A running server reads its files without taking them; a stopped one says it when it starts. */
async function rejectedByServer(context: StepContext, name: string): Promise<readonly string[]> {
  const node = context.node(name)
  if ((await observeProcess(context.site.host, node.data)).kind !== 'running') return []
  return await withConnection(await superuserLogin(context, node), async (client) =>
    (await configurationErrors(client)).filter(isOfSettingsFile),
  )
}

function declared(context: StepContext, { node, held }: StepOf<'write-configuration'>): NodeConfiguration {
  return nodeConfiguration(context.cluster, context.node(node), held)
}

async function difference(context: StepContext, step: StepOf<'write-configuration'>): Promise<string | undefined> {
  const { data } = context.node(step.node)
  const found = await readNodeFiles(context.site.host, data)
  const wanted = declared(context, step)
  const passfile = passfileOf(context.cluster, (await context.passwords()).replication)
  if (!found.included) return `postgresql.conf in ${data} includes no settings of Maestra`
  if (found.settings !== wanted.settings) return `the settings file in ${data} differs`
  if ((found.hbaBlock ?? '').trim() !== hbaBlockText(wanted.hbaLines).trim()) return `pg_hba.conf in ${data} differs`
  if (passfile !== undefined && found.passfile?.reveal() !== passfile.reveal()) return `the passfile in ${data} differs`
  return undefined
}
