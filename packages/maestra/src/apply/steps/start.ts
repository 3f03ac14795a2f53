import { serverAccount } from '../../server/account.js'
import { observeProcess } from '../../server/postmaster.js'
import { startOrPutBack } from '../../server/start-or-put-back.js'
import type { StepContext, StepRunner } from '../step-runner.js'

/** The server of a node takes connections. */
export const start: StepRunner<'start'> = {
  check: async (step, context) => (await processOf(context, step.node)).kind !== 'running',
  run: async (step, context) => {
    const { site, signal } = context
    const { data } = context.node(step.node)
    const account = await serverAccount(site.host, data)
    await startOrPutBack(site.host, { node: step.node, data, account, binaries: await context.binaries(), signal })
  },
  verify: async (step, context) => {
    const found = await processOf(context, step.node)
    return found.kind === 'running' ? undefined : 'its server does not run'
  },
}

async function processOf(context: StepContext, name: string) {
  return await observeProcess(context.site.host, context.node(name).data)
}
