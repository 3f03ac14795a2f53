import { ensurePhysicalSlot, hasPhysicalSlot } from '../../server/replication-slot.js'
import { superuserLogin } from '../logins.js'
import type { StepContext, StepRunner } from '../step-runner.js'

/**
 * The slot by which a node keeps the WAL that a standby still needs: a new one, or one in place of a slot that keeps nothing,
 * since it is lost or has never reserved WAL.
 */
export const createSlot = {
  check: async (step, context) => !(await exists(context, step.node, step.slot)),
  run: async (step, context) => {
    // Planned while the node was stopped, a new one too may find one that keeps nothing.
    await ensurePhysicalSlot(await superuserLogin(context, context.node(step.node)), step.slot)
  },
  verify: async (step, context) =>
    (await exists(context, step.node, step.slot)) ? undefined : `there is no physical slot ${step.slot} of use`,
} satisfies StepRunner<'create-slot' | 'replace-slot'>

async function exists(context: StepContext, name: string, slot: string): Promise<boolean> {
  return await hasPhysicalSlot(await superuserLogin(context, context.node(name)), slot)
}
