import type { Command } from 'commander'
import { clusterStatus, isHealthy } from '../../cluster/cluster-status.js'
import { observeCluster } from '../../server/observe-cluster.js'
import { fileOption, readCluster } from '../cluster-file.js'
import { clusterSite } from '../cluster-site.js'
import type { CommandContext } from '../command-context.js'
import { exitCodes } from '../exit-code.js'
import { terminal } from '../terminal.js'
import { statusView } from '../views/status-view.js'

type Options = { readonly file?: string; readonly json?: boolean }

export function addStatus(program: Command, _context: CommandContext): void {
  program
    .command('status')
    .description('show roles, timelines, positions, lag and health of all nodes; exits with 3 when one is not well')
    .option(...fileOption)
    .option('--json', 'print the status as JSON')
    .action(status)
}

async function status(options: Options): Promise<void> {
  const { cluster } = await readCluster(options.file)
  const found = clusterStatus(cluster, await observeCluster(clusterSite(), cluster))
  process.stdout.write(
    options.json ? `${JSON.stringify(found, null, 2)}\n` : statusView(found, terminal(process.stdout)),
  )
  if (!isHealthy(found)) process.exitCode = exitCodes.differences
}
