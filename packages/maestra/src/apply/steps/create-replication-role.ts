import { makeReplicationRole, roleFault } from '../../server/replication-role.js'
import { superuserLogin } from '../logins.js'
import type { StepContext, StepRunner } from '../step-runner.js'

/** The role that standbys and base backups log in as, with the password that they use. */
export const createReplicationRole: StepRunner<'create-replication-role'> = {
  check: async (step, context) => (await fault(context, step.node, step.role)) !== undefined,
  run: async (step, context) => {
    const login = await superuserLogin(context, context.node(step.node))
    await makeReplicationRole(login, step.role, await passwordOf(context))
  },
  verify: async (step, context) => {
    const seen = await fault(context, step.node, step.role)
    return seen === undefined ? undefined : `the role ${step.role} ${seen}`
  },
}

async function fault(context: StepContext, name: string, role: string): Promise<string | undefined> {
  return await roleFault(await superuserLogin(context, context.node(name)), role, await passwordOf(context))
}

/** Replication on trust asks for none. */
async function passwordOf(context: StepContext) {
  if (context.cluster.replication.authentication === 'trust') return undefined
  return (await context.passwords()).replication
}
