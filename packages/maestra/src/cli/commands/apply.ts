import { createInterface } from 'node:readline/promises'
import { MaestraError } from '@maestra/client/base/error'
import type { Command } from 'commander'
import { applyPlan } from '../../apply/apply-plan.js'
import { outcomeOf, type Plan } from '../../plan/plan.js'
import { planCluster } from '../../plan/plan-cluster.js'
import { observeCluster } from '../../server/observe-cluster.js'
import { fileOption, readCluster } from '../cluster-file.js'
import { clusterSite } from '../cluster-site.js'
import type { CommandContext } from '../command-context.js'
import { exitCodes } from '../exit-code.js'
import { readPlanFile, refuseUnlessCurrent } from '../plan-file.js'
import { replaceOption, requestOf } from '../replace-option.js'
import { terminal } from '../terminal.js'
import { planView } from '../views/plan-view.js'
import { progressView } from '../views/progress-view.js'

type Options = { readonly file?: string; readonly yes?: boolean; readonly replace?: string[] }

export function addApply(program: Command, context: CommandContext): void {
  program
    .command('apply')
    .description('make the cluster what its file declares; run again, it finds nothing to do')
    .argument('[plan-file]', 'do exactly what a plan says that was kept by plan --out, without asking')
    .option(...fileOption)
    .option(...replaceOption)
    .option('--yes', 'do not ask')
    .action((planFile: string | undefined, options: Options) => apply(planFile, options, context.signal))
}

async function apply(planFile: string | undefined, options: Options, signal: AbortSignal): Promise<void> {
  const saved = planFile === undefined ? undefined : await readPlanFile(planFile)
  if (saved !== undefined && options.replace !== undefined) {
    throw new MaestraError(
      'bad-usage',
      'a plan that was kept says by itself what is made anew, so --replace is not for it',
      {
        hint: `maestra plan --replace ${options.replace.join(' --replace ')} --out <file>`,
      },
    )
  }
  const { cluster, locate } = await readCluster(options.file ?? saved?.clusterFile)
  const site = clusterSite()
  const request = saved?.plan.request ?? requestOf(options)
  const plan = planCluster(cluster, await observeCluster(site, cluster, request), locate, request)
  if (saved !== undefined) refuseUnlessCurrent(saved, cluster, plan)
  process.stdout.write(planView(plan, terminal(process.stdout)))
  if (outcomeOf(plan) !== 'changes') {
    if (outcomeOf(plan) !== 'nothing') process.exitCode = exitCodes.failed
    return
  }
  if (saved === undefined && !options.yes && !(await confirmed(plan, signal))) {
    process.stdout.write('nothing was changed\n')
    return
  }
  process.stdout.write('\n')
  const progress = progressView((text) => process.stdout.write(text), terminal(process.stdout))
  try {
    await applyPlan(plan, { site, cluster, onEvent: progress.onEvent, signal })
  } finally {
    progress.clear()
  }
  process.stdout.write(`\ncluster ${cluster.name} is as declared\n`)
}

async function confirmed(plan: Plan, signal: AbortSignal): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    throw new MaestraError(
      'confirmation-needed',
      `cluster ${plan.cluster} would be changed, and there is no terminal to ask on`,
      {
        hint: 'look at the plan, then: maestra apply --yes',
      },
    )
  }
  const prompt = createInterface({ input: process.stdin, output: process.stdout })
  try {
    const answer = await prompt.question('\nMake these changes? [y/N] ', { signal })
    return /^(y|yes|s|si|sí)$/i.test(answer.trim())
  } catch (error) {
    // Ctrl-C and Ctrl-D at the question end it with an error of readline's own.
    throw signal.aborted
      ? signal.reason
      : new MaestraError('interrupted', 'stopped at the question; nothing was changed', { cause: error })
  } finally {
    prompt.close()
  }
}
