import { serverAccount } from '../../server/account.js'
import { withConnection } from '../../server/connection.js'
import { readNodeFiles } from '../../server/node-files.js'
import { waitingSettings } from '../../server/pending-restart.js'
import { observeProcess, stopServer } from '../../server/postmaster.js'
import { startOrPutBack } from '../../server/start-or-put-back.js'
import { superuserLogin } from '../logins.js'
import type { StepContext, StepRunner } from '../step-runner.js'
import { trySettings } from '../try-configurations.js'

/** Longer than wal_sender_timeout is by default: then a primary no longer waits for a standby that does not answer. */
const stopTimeoutMs = 90_000

/** A server works with the settings of its files that only a restart changes. */
export const restart: StepRunner<'restart'> = {
  check: async (step, context) => (await waiting(context, step.node)) !== undefined,
  run: async (step, context) => {
    const { host } = context.site
    const node = context.node(step.node)
    const { data } = node
    const server = {
      node: step.node,
      data,
      account: await serverAccount(host, data, context.cluster),
      binaries: await context.binaries(),
    }
    // What somebody wrote into its other files since it started would keep it down.
    const { settings = '' } = await readNodeFiles(host, data)
    await trySettings(context, node, settings, data)
    context.signal.throwIfAborted()
    // From here on it is not interrupted: the server would stay down.
    await stopServer(host, { ...server, timeoutMs: stopTimeoutMs })
    await startOrPutBack(host, server, await superuserLogin(context, node))
  },
  verify: async (step, context) => await waiting(context, step.node),
}

async function waiting(context: StepContext, name: string): Promise<string | undefined> {
  const node = context.node(name)
  if ((await observeProcess(context.site.host, node.data)).kind !== 'running') return 'its server does not run'
  const names = await withConnection(await superuserLogin(context, node), waitingSettings)
  return names.length === 0 ? undefined : `it runs with older values of ${names.join(', ')}`
}
