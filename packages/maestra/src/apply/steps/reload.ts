import { serverAccount } from '../../server/account.js'
import { configurationErrors } from '../../server/configuration-errors.js'
import { withConnection } from '../../server/connection.js'
import { reloadOrPutBack } from '../../server/reload-or-put-back.js'
import { superuserLogin } from '../logins.js'
import type { StepRunner } from '../step-runner.js'

/** A running server works with its configuration files as they are now, and lets clients in. */
export const reload: StepRunner<'reload'> = {
  check: async () => true,
  run: async (step, context) => {
    const { site, cluster } = context
    const node = context.node(step.node)
    const { data } = node
    const account = await serverAccount(site.host, data, cluster)
    const server = { node: step.node, data, account, clusterFile: cluster.file }
    await reloadOrPutBack(site.host, server, await superuserLogin(context, node))
  },
  verify: async (step, context) => {
    const login = await superuserLogin(context, context.node(step.node))
    return await withConnection(login, async (client) => {
      const wrong = await configurationErrors(client)
      return wrong.length === 0 ? undefined : wrong.join('; ')
    })
  },
}
