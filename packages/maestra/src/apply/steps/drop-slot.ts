import type { StepOf } from '../../plan/step.js'
import { dropPhysicalSlot, physicalSlotExists } from '../../server/replication-slot.js'
import { superuserLogin } from '../logins.js'
import type { StepContext, StepRunner } from '../step-runner.js'

/** The slot of a standby that is not declared any more; the data of that standby are not touched. */
export const dropSlot: StepRunner<'drop-slot'> = {
  check: async (step, context) => await exists(step, context),
  run: async (step, context) => {
    await dropPhysicalSlot(await superuserLogin(context, context.node(step.node)), step)
  },
  verify: async (step, context) =>
    (await exists(step, context)) ? `there is still a physical slot ${step.slot}` : undefined,
}

async function exists(step: StepOf<'drop-slot'>, context: StepContext): Promise<boolean> {
  return await physicalSlotExists(await superuserLogin(context, context.node(step.node)), step.slot)
}
