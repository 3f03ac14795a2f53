import { setTimeout as sleep } from 'node:timers/promises'
import { newestMajor, oldestMajor } from '@maestra/client/postgres/version'
import { type Command, InvalidArgumentError } from 'commander'
import { isUp } from '../../sandbox/open-sandbox.js'
import type { Sandbox } from '../../sandbox/sandbox.js'
import { startSandbox } from '../../sandbox/start-sandbox.js'
import type { CommandContext } from '../command-context.js'
import { exitCodes } from '../exit-code.js'
import { terminal } from '../terminal.js'
import { liveView } from '../views/live-view.js'
import { progressView } from '../views/progress-view.js'
import { sandboxJson, welcomeView } from '../views/sandbox-view.js'
import { statusView } from '../views/status-view.js'

type Options = {
  readonly replicas: number
  readonly name?: string
  readonly json?: boolean
  readonly detach?: boolean
  readonly durable?: boolean
  readonly pg?: number
}

/** Milliseconds between two looks while the table is watched, and between two when nobody sees it. */
const watchEveryMs = 1000

export function addSandboxUp(sandbox: Command, context: CommandContext): void {
  sandbox
    .command('up')
    .description('start a primary and its replicas, and watch them until Ctrl-C takes them down')
    .option('--replicas <number>', 'how many replicas', wholeNumber, 2)
    .option('--name <name>', 'the name of the sandbox (default: a free one)')
    .option('--detach', 'return when all replicas stream; it lives until `maestra sandbox down`')
    .option('--durable', 'wait for the disk, so that its data survives a crash of the machine')
    .option(
      '--pg <major>',
      `the major version of PostgreSQL, ${oldestMajor} to ${newestMajor} (default: 18)`,
      wholeNumber,
    )
    .option('--json', 'print one line of JSON when all replicas stream')
    .action((options: Options) => up(options, context.signal))
}

function wholeNumber(text: string): number {
  if (!/^\d{1,3}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(text)
}

async function up(options: Options, signal: AbortSignal): Promise<void> {
  const sandbox = await start(options, signal)
  if (options.detach) {
    process.stdout.write(
      options.json ? sandboxJson(sandbox) : welcomeView(sandbox, terminal(process.stdout), 'detached'),
    )
    return
  }
  try {
    process.stdout.write(options.json ? sandboxJson(sandbox) : welcomeView(sandbox, terminal(process.stdout)))
    await watch(sandbox, options, signal)
  } finally {
    await sandbox.stop()
  }
  if (!options.json) process.stdout.write(`\nsandbox ${sandbox.name} is down; nothing of it is left\n`)
  // Ctrl-C is how this command is meant to end.
  process.exitCode = exitCodes.done
}

async function start(options: Options, signal: AbortSignal): Promise<Sandbox> {
  const progress = progressView((text) => process.stderr.write(text), terminal(process.stderr))
  try {
    return await startSandbox({
      replicas: options.replicas,
      ...(options.name === undefined ? {} : { name: options.name }),
      ...(options.pg === undefined ? {} : { version: options.pg }),
      durable: options.durable ?? false,
      detach: options.detach ?? false,
      onEvent: progress.onEvent,
      signal,
    })
  } finally {
    progress.clear()
  }
}

/** Shows the status on a terminal, until the user stops it or somebody takes the sandbox down. */
async function watch(sandbox: Sandbox, options: Options, signal: AbortSignal): Promise<void> {
  const to = terminal(process.stdout)
  const shown = to.isTty && !options.json
  const live = liveView(
    (text) => process.stdout.write(text),
    () => process.stdout.columns || 80,
  )
  while (!signal.aborted && (await isUp(sandbox))) {
    if (shown) live.show(statusView(await sandbox.status(), to))
    await sleep(watchEveryMs, undefined, { signal }).catch(() => {})
  }
}
