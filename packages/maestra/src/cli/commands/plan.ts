import type { Command } from 'commander'
import { outcomeOf } from '../../plan/plan.js'
import { planCluster } from '../../plan/plan-cluster.js'
import { observeCluster } from '../../server/observe-cluster.js'
import { fileOption, readCluster } from '../cluster-file.js'
import { clusterSite } from '../cluster-site.js'
import type { CommandContext } from '../command-context.js'
import { exitCodes } from '../exit-code.js'
import { PlanFile } from '../plan-file.js'
import { replaceOption, requestOf } from '../replace-option.js'
import { terminal } from '../terminal.js'
import { planJson } from '../views/plan-json.js'
import { planView } from '../views/plan-view.js'

type Options = {
  readonly file?: string
  readonly out?: string
  readonly json?: boolean
  readonly detailedExitcode?: boolean
  readonly replace?: string[]
}

export function addPlan(program: Command, _context: CommandContext): void {
  program
    .command('plan')
    .description('show what apply would change, step by step, and why; changes nothing')
    .option(...fileOption)
    .option(...replaceOption)
    .option('--out <file>', 'keep the plan in a file, for: maestra apply <file>')
    .option('--json', 'print the plan as JSON')
    .option('--detailed-exitcode', 'exit with 3 when there is something to change')
    .action(plan)
}

async function plan(options: Options): Promise<void> {
  const { cluster, locate } = await readCluster(options.file)
  const out = options.out === undefined ? undefined : await PlanFile.at(options.out)
  const request = requestOf(options)
  const made = planCluster(cluster, await observeCluster(clusterSite(), cluster, request), locate, request)
  process.stdout.write(options.json ? planJson(made) : planView(made, terminal(process.stdout)))
  const outcome = outcomeOf(made)
  // What is printed as JSON is one document.
  if (out !== undefined) (options.json ? process.stderr : process.stdout).write(await out.keep(made, cluster))
  if (outcome === 'refused' || outcome === 'incomplete') process.exitCode = exitCodes.failed
  else if (outcome === 'changes' && options.detailedExitcode) process.exitCode = exitCodes.differences
}
