import { dropUselessSlot, hasPhysicalSlot, makePhysicalSlot } from '../../server/replication-slot.js'
import { superuserLogin } from '../logins.js'
import type { StepContext, StepRunner } from '../step-runner.js'

/** The slot of a standby in place of one that keeps nothing: it is lost, or has never reserved WAL. */
export const replaceSlot: StepRunner<'replace-slot'> = {
  check: async (step, context) => !(await exists(context, step.node, step.slot)),
  run: async (step, context) => {
    const login = await superuserLogin(context, context.node(step.node))
    await dropUselessSlot(login, step.slot)
    await makePhysicalSlot(login, step.slot)
  },
  verify: async (step, context) =>
    (await exists(context, step.node, step.slot)) ? undefined : `there is no physical slot ${step.slot} of use`,
}

async function exists(context: StepContext, name: string, slot: string): Promise<boolean> {
  return await hasPhysicalSlot(await superuserLogin(context, context.node(name)), slot)
}
