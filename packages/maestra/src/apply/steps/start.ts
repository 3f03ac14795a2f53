import { serverAccount } from '../../server/account.js'
import { observeProcess } from '../../server/postmaster.js'
import { startOrPutBack } from '../../server/start-or-put-back.js'
import { superuserLogin } from '../logins.js'
import type { StepContext, StepRunner } from '../step-runner.js'

/** The server of a node takes connections. */
export const start: StepRunner<'start'> = {
  check: async (step, context) => (await processOf(context, step.node)).kind !== 'running',
  run: async (step, context) => {
    const { site, signal } = context
    const node = context.node(step.node)
    const { data } = node
    const account = await serverAccount(site.host, data, context.cluster)
    const server = { node: step.node, data, account, binaries: await context.binaries(), signal }
    await startOrPutBack(site.host, server, await superuserLogin(context, node))
  },
  verify: async (step, context) => {
    const found = await processOf(context, step.node)
    return found.kind === 'running' ? undefined : 'its server does not run'
  },
}

async function processOf(context: StepContext, name: string) {
  return await observeProcess(context.site.host, context.node(name).data)
}
