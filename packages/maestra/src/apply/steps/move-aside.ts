import { MaestraError } from '@maestra/client/base/error'
import { viewCluster } from '../../plan/cluster-view.js'
import { planStandby } from '../../plan/plan-standby.js'
import type { StepOf } from '../../plan/step.js'
import { moveAside as move } from '../../server/move-aside.js'
import { observeCluster } from '../../server/observe-cluster.js'
import { stopServer } from '../../server/postmaster.js'
import type { StepContext, StepRunner } from '../step-runner.js'

/** The data of a standby that is to be made anew, under another name. */
export const moveAside: StepRunner<'move-aside'> = {
  check: async (step, context) => (await context.site.host.files.stat(step.data)) !== undefined,
  run: async (step, context) => {
    const { host } = context.site
    await refuseUnlessPlanned(step, context, 'look at the new plan: maestra plan')
    await stopServer(host, step)
    // What was seen while it ran is looked at once more in what it left.
    await refuseUnlessPlanned(step, context, 'its server is stopped; to start it again: maestra apply')
    await move(host, step)
  },
  verify: async (step, context) =>
    (await context.site.host.files.stat(step.data)) === undefined ? undefined : `${step.data} is there again`,
}

/** Steps before it may have taken hours: it is planned again, from all that is there now. */
async function refuseUnlessPlanned(step: StepOf<'move-aside'>, context: StepContext, hint: string): Promise<void> {
  const { site, cluster, request, connections } = context
  const observation = await observeCluster(site, cluster, { connections })
  const view = viewCluster(cluster, observation, request)
  const standby = view.standbys.find((each) => each.declared.name === step.node)
  if (standby === undefined) throw new Error(`a step moves the data of ${step.node}, which is no standby`)
  const { steps, refusals, unknowns } = planStandby(view, standby).first
  const against = [...refusals, ...unknowns].map((each) => each.message)
  if (against.length > 0) throw new MaestraError('plan-refused', against.join('; '), { hint })
  if (steps.some((each) => each.kind === step.kind)) return
  // What follows would take the data that are there for the new ones.
  throw new MaestraError(
    'plan-refused',
    `the data of ${step.node} need not be moved aside any more, so they were not`,
    { hint },
  )
}
