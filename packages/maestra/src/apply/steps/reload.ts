import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import { configurationErrors } from '../../server/configuration-errors.js'
import { withConnection } from '../../server/connection.js'
import { reloadServer } from '../../server/postmaster.js'
import { superuserLogin } from '../logins.js'
import type { StepContext, StepRunner } from '../step-runner.js'

const reloadTimeoutMs = 10_000

/** A running server works with its configuration files as they are now. */
export const reload: StepRunner<'reload'> = {
  check: async () => true,
  run: async (step, context) => {
    const before = await loadTime(context, step.node)
    await reloadServer(context.site.host, { node: step.node, data: context.node(step.node).data })
    await waitUntil(
      async () => {
        const now = await loadTime(context, step.node)
        return now === before ? { done: false, seen: `loaded at ${now}` } : { done: true, value: undefined }
      },
      {
        awaited: `${step.node} to load its configuration again`,
        deadline: Deadline.after(reloadTimeoutMs),
        signal: context.signal,
      },
    )
  },
  verify: async (step, context) => {
    const login = await superuserLogin(context, context.node(step.node))
    return await withConnection(login, async (client) => {
      const wrong = await configurationErrors(client)
      return wrong.length === 0 ? undefined : wrong.join('; ')
    })
  },
}

async function loadTime(context: StepContext, name: string): Promise<string> {
  const login = await superuserLogin(context, context.node(name))
  return await withConnection(login, async (client) => {
    const result = await client.query<{ at: string }>('select pg_conf_load_time()::text as at')
    return result.rows[0]?.at ?? ''
  })
}
