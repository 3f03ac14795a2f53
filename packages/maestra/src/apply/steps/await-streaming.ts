import { addressOf, primaryOf, slotName } from '../../cluster/declared-cluster.js'
import type { StepOf } from '../../plan/step.js'
import {
  awaitLateStreaming,
  type Chain,
  type StreamSource,
  streamsFrom,
  awaitStreaming as wait,
} from '../../server/streaming.js'
import { superuserLogin } from '../logins.js'
import type { StepContext, StepRunner } from '../step-runner.js'

/** A standby streams and has replayed what its primary had; one that replays late is not waited for that long. */
export const awaitStreaming: StepRunner<'await-streaming'> = {
  check: async () => true,
  run: async (step, context) => {
    const awaited = step.late === true ? awaitLateStreaming : wait
    await awaited(await chainOf(step, context), sourceOf(step, context), context.signal)
  },
  verify: async (step, context) =>
    step.late === true
      ? undefined
      : await streamsFrom(await superuserLogin(context, context.node(step.node)), sourceOf(step, context)),
}

async function chainOf(step: StepOf<'await-streaming'>, context: StepContext): Promise<Chain> {
  return {
    standby: await superuserLogin(context, context.node(step.node)),
    upstream: await superuserLogin(context, context.node(step.from)),
    primary: await superuserLogin(context, primaryOf(context.cluster)),
  }
}

function sourceOf(step: StepOf<'await-streaming'>, context: StepContext): StreamSource {
  const { host, port } = addressOf(context.node(step.from), context.node(step.node))
  return { host, port, slot: slotName(step.node) }
}
