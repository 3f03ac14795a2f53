import type { StepOf } from '../../plan/step.js'
import { dropPhysicalSlot, physicalSlotExists, untilSlotUnused } from '../../server/replication-slot.js'
import { superuserLogin } from '../logins.js'
import type { StepContext, StepRunner } from '../step-runner.js'

/** The slot of a standby that is not declared any more, or follows another node by now; its data are not touched. */
export const dropSlot: StepRunner<'drop-slot'> = {
  check: async (step, context) => await exists(step, context),
  run: async (step, context) => {
    const login = await superuserLogin(context, context.node(step.node))
    // One that is still declared streams from elsewhere by now.
    if (context.cluster.nodes.some(({ name }) => name === step.standby)) {
      await untilSlotUnused(login, step.slot, context.signal)
    }
    await dropPhysicalSlot(login, step)
  },
  verify: async (step, context) =>
    (await exists(step, context)) ? `there is still a physical slot ${step.slot}` : undefined,
}

async function exists(step: StepOf<'drop-slot'>, context: StepContext): Promise<boolean> {
  return await physicalSlotExists(await superuserLogin(context, context.node(step.node)), step.slot)
}
