import { streamingState, awaitStreaming as wait } from '../../server/streaming.js'
import { superuserLogin } from '../logins.js'
import type { StepRunner } from '../step-runner.js'

/** A standby streams and has replayed what its primary had. */
export const awaitStreaming: StepRunner<'await-streaming'> = {
  check: async () => true,
  run: async (step, context) => {
    const standby = await superuserLogin(context, context.node(step.node))
    const primary = await superuserLogin(context, context.node(step.from))
    await wait(standby, primary, context.signal)
  },
  verify: async (step, context) => {
    const state = await streamingState(await superuserLogin(context, context.node(step.node)))
    return state.status === 'streaming' ? undefined : `its WAL receiver is ${state.status ?? 'not running'}`
  },
}
