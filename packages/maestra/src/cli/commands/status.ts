import { MaestraError } from '@maestra/client/base/error'
import type { Command } from 'commander'
import { clusterStatus, isHealthy } from '../../cluster/cluster-status.js'
import { observeCluster } from '../../server/observe-cluster.js'
import { fileOption, readCluster } from '../cluster-file.js'
import { clusterSite } from '../cluster-site.js'
import type { CommandContext } from '../command-context.js'
import { exitCodes } from '../exit-code.js'
import { secondsAsMs } from '../option-values.js'
import { terminal } from '../terminal.js'
import { statusView } from '../views/status-view.js'
import { watchStatus } from '../watch-status.js'

type Options = {
  readonly file?: string
  readonly json?: boolean
  readonly watch?: boolean
  /** Milliseconds. */
  readonly every?: number
}

/** Milliseconds between two looks of --watch. */
const everyMs = 1000

export function addStatus(program: Command, context: CommandContext): void {
  program
    .command('status')
    .description('show roles, timelines, positions, lag and health of all nodes; exits with 3 when one is not well')
    .option(...fileOption)
    .option('--json', 'print the status as JSON; with --watch one line for each look')
    .option('--watch', 'look again and again, until Ctrl-C')
    .option('--every <seconds>', 'with --watch: how long between two looks (default: 1)', secondsAsMs)
    .action((options: Options) => status(options, context.signal))
}

async function status(options: Options, signal: AbortSignal): Promise<void> {
  if (options.every !== undefined && !options.watch) {
    throw new MaestraError('bad-usage', '--every says how often --watch looks, and there is no --watch', {
      hint: 'maestra status --watch --every 5',
    })
  }
  const { cluster } = await readCluster(options.file)
  const site = clusterSite()
  const look = async () => clusterStatus(cluster, await observeCluster(site, cluster))
  if (options.watch) {
    await watchStatus(look, { everyMs: options.every ?? everyMs, json: options.json === true, signal })
    // Ctrl-C is how it is meant to end, also while a server lets us wait for its answer.
    process.exit(exitCodes.done)
  }
  const found = await look()
  process.stdout.write(
    options.json ? `${JSON.stringify(found, null, 2)}\n` : statusView(found, terminal(process.stdout)),
  )
  if (!isHealthy(found)) process.exitCode = exitCodes.differences
}
