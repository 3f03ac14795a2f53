import { completePassfile, observePasswords } from '../../server/passfile.js'
import type { StepContext, StepRunner } from '../step-runner.js'

/** The cluster's passfile gets the passwords that it does not hold yet. */
export const writePassfile: StepRunner<'write-passfile'> = {
  check: async (_step, context) => (await missing(context)) !== undefined,
  run: async (_step, context) => {
    await completePassfile(context.site, context.cluster)
  },
  verify: async (_step, context) => await missing(context),
}

async function missing({ site, cluster }: StepContext): Promise<string | undefined> {
  const found = await observePasswords(site, cluster)
  if (found.superuser === undefined) return `${cluster.passfile} has no password of the superuser`
  const { authentication } = cluster.replication
  if (authentication !== 'trust' && found.replication === undefined)
    return `${cluster.passfile} has no password of ${cluster.replication.role}`
  const without = found.nodesWithout
  return without.length === 0 ? undefined : `${cluster.passfile} has no lines for ${without.join(', ')}`
}
