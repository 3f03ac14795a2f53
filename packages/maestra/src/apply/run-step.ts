import { MaestraError } from '@maestra/client/base/error'
import type { Step, StepKind, StepOf } from '../plan/step.js'
import { stepTitle } from '../plan/step-title.js'
import type { StepContext, StepRunner } from './step-runner.js'
import { stepRunners } from './step-runners.js'

/** Runs one step, unless it is true already. */
export async function runStep(step: Step, context: StepContext): Promise<'done' | 'already'> {
  return await runWith(stepRunners[step.kind] as StepRunner<StepKind>, step as StepOf<StepKind>, context)
}

async function runWith<K extends StepKind>(
  runner: StepRunner<K>,
  step: StepOf<K>,
  context: StepContext,
): Promise<'done' | 'already'> {
  if (!(await runner.check(step, context))) return 'already'
  await runner.run(step, context)
  const seen = await runner.verify(step, context)
  if (seen === undefined) return 'done'
  throw new MaestraError('step-not-true', `${stepTitle(step)}: it ended without an error, but ${seen}`)
}
