import { hasReplicationRole, makeReplicationRole } from '../../server/replication-role.js'
import { superuserLogin } from '../logins.js'
import type { StepContext, StepRunner } from '../step-runner.js'

/** The role that standbys and base backups log in as. */
export const createReplicationRole: StepRunner<'create-replication-role'> = {
  check: async (step, context) => !(await exists(context, step.node, step.role)),
  run: async (step, context) => {
    const login = await superuserLogin(context, context.node(step.node))
    const { replication } = await context.passwords()
    const trusted = context.cluster.replication.authentication === 'trust'
    await makeReplicationRole(login, step.role, trusted ? undefined : replication)
  },
  verify: async (step, context) =>
    (await exists(context, step.node, step.role)) ? undefined : `the role ${step.role} may not log in and replicate`,
}

async function exists(context: StepContext, name: string, role: string): Promise<boolean> {
  return await hasReplicationRole(await superuserLogin(context, context.node(name)), role)
}
