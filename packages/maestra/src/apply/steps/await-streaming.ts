import { addressOf, slotName } from '../../cluster/declared-cluster.js'
import type { StepOf } from '../../plan/step.js'
import { type StreamSource, streamsFrom, awaitStreaming as wait } from '../../server/streaming.js'
import { superuserLogin } from '../logins.js'
import type { StepContext, StepRunner } from '../step-runner.js'

/** A standby streams and has replayed what its primary had. */
export const awaitStreaming: StepRunner<'await-streaming'> = {
  check: async () => true,
  run: async (step, context) => {
    const standby = await superuserLogin(context, context.node(step.node))
    const primary = await superuserLogin(context, context.node(step.from))
    await wait(standby, primary, sourceOf(step, context), context.signal)
  },
  verify: async (step, context) =>
    await streamsFrom(await superuserLogin(context, context.node(step.node)), sourceOf(step, context)),
}

function sourceOf(step: StepOf<'await-streaming'>, context: StepContext): StreamSource {
  const { host, port } = addressOf(context.node(step.from), context.node(step.node))
  return { host, port, slot: slotName(step.node) }
}
