import { dropUselessSlot, hasPhysicalSlot, makePhysicalSlot } from '../../server/replication-slot.js'
import { superuserLogin } from '../logins.js'
import type { StepContext, StepRunner } from '../step-runner.js'

/** The slot by which the primary keeps the WAL that a standby still needs. */
export const createSlot: StepRunner<'create-slot'> = {
  check: async (step, context) => !(await exists(context, step.node, step.slot)),
  run: async (step, context) => {
    const login = await superuserLogin(context, context.node(step.node))
    // Planned while the primary was stopped, it may find one that keeps nothing.
    await dropUselessSlot(login, step.slot)
    await makePhysicalSlot(login, step.slot)
  },
  verify: async (step, context) =>
    (await exists(context, step.node, step.slot)) ? undefined : `there is no physical slot ${step.slot}`,
}

async function exists(context: StepContext, name: string, slot: string): Promise<boolean> {
  return await hasPhysicalSlot(await superuserLogin(context, context.node(name)), slot)
}
