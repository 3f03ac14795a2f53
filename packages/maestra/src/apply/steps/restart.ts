import { serverAccount } from '../../server/account.js'
import { withConnection } from '../../server/connection.js'
import { waitingSettings } from '../../server/pending-restart.js'
import { observeProcess, startServer, stopServer } from '../../server/postmaster.js'
import { superuserLogin } from '../logins.js'
import type { StepContext, StepRunner } from '../step-runner.js'

/** A server works with the settings of its files that only a restart changes. */
export const restart: StepRunner<'restart'> = {
  check: async (step, context) => (await waiting(context, step.node)) !== undefined,
  run: async (step, context) => {
    const { host } = context.site
    const { data } = context.node(step.node)
    const server = {
      node: step.node,
      data,
      account: await serverAccount(host, data),
      binaries: await context.binaries(),
    }
    context.signal.throwIfAborted()
    // From here on it is not interrupted: the server would stay down.
    await stopServer(host, server)
    await startServer(host, server)
  },
  verify: async (step, context) => await waiting(context, step.node),
}

async function waiting(context: StepContext, name: string): Promise<string | undefined> {
  const node = context.node(name)
  if ((await observeProcess(context.site.host, node.data)).kind !== 'running') return 'its server does not run'
  const names = await withConnection(await superuserLogin(context, node), waitingSettings)
  return names.length === 0 ? undefined : `it runs with older values of ${names.join(', ')}`
}
