import type { Command } from 'commander'
import { outcomeOf } from '../../plan/plan.js'
import { planCluster } from '../../plan/plan-cluster.js'
import { observeCluster } from '../../server/observe-cluster.js'
import { fileOption, readCluster } from '../cluster-file.js'
import { clusterSite } from '../cluster-site.js'
import type { CommandContext } from '../command-context.js'
import { exitCodes } from '../exit-code.js'
import { terminal } from '../terminal.js'
import { planJson } from '../views/plan-json.js'
import { planView } from '../views/plan-view.js'

type Options = { readonly file?: string; readonly json?: boolean; readonly detailedExitcode?: boolean }

export function addPlan(program: Command, _context: CommandContext): void {
  program
    .command('plan')
    .description('show what apply would change, step by step, and why; changes nothing')
    .option(...fileOption)
    .option('--json', 'print the plan as JSON')
    .option('--detailed-exitcode', 'exit with 3 when there is something to change')
    .action(plan)
}

async function plan(options: Options): Promise<void> {
  const { cluster, locate } = await readCluster(options.file)
  const made = planCluster(cluster, await observeCluster(clusterSite(), cluster), locate)
  process.stdout.write(options.json ? planJson(made) : planView(made, terminal(process.stdout)))
  const outcome = outcomeOf(made)
  if (outcome === 'refused' || outcome === 'incomplete') process.exitCode = exitCodes.failed
  else if (outcome === 'changes' && options.detailedExitcode) process.exitCode = exitCodes.differences
}
