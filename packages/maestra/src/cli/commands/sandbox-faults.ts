import type { Command } from 'commander'
import { openSandbox } from '../../sandbox/open-sandbox.js'
import type { SandboxNode } from '../../sandbox/sandbox.js'
import { sandboxNameOption } from './sandbox-name-option.js'

type Options = { readonly name?: string }

/** What can be done to one node: what it does, and what is true then. */
type Fault = {
  readonly verb: 'pause' | 'resume' | 'kill' | 'freeze' | 'thaw' | 'cut' | 'mend'
  readonly description: string
  readonly done: string
}

const faults: readonly Fault[] = [
  { verb: 'pause', description: 'a replica replays nothing until `resume`', done: 'replays nothing' },
  { verb: 'resume', description: 'a replica replays again', done: 'replays' },
  { verb: 'kill', description: 'end every process of a server by SIGKILL', done: 'is killed' },
  { verb: 'freeze', description: 'every process of a server stands still until `thaw`', done: 'stands still' },
  { verb: 'thaw', description: 'a server that stands still goes on', done: 'goes on' },
  { verb: 'cut', description: 'no byte passes between a replica and its primary until `mend`', done: 'is cut off' },
  { verb: 'mend', description: 'bytes pass again', done: 'is no longer cut off' },
]

export function addSandboxFaults(sandbox: Command): void {
  sandbox
    .command('lag')
    .description('a replica replays each commit so long after it was made; 0 ends it')
    .argument('<node>')
    .argument('<delay>', '500ms, 2s, 1min, or a number of milliseconds')
    .option(...sandboxNameOption)
    .action(async (name: string, delay: string, options: Options) => {
      await (await openSandbox(options.name)).node(name).lag(delay)
      process.stdout.write(
        `${name} replays ${/^0\D*$/.test(delay) ? 'at once' : `each commit ${delay} after it was made`}\n`,
      )
    })
  for (const { verb, description, done } of faults) {
    onNode(sandbox.command(verb).description(description), done, (node) => node[verb]())
  }
  sandbox
    .command('promote')
    .description('a replica takes writes, as after a failover, and the others follow it')
    .argument('<node>')
    .option(...sandboxNameOption)
    .action(async (name: string, options: Options) => {
      const opened = await openSandbox(options.name)
      await opened.promote(name)
      process.stdout.write(`${name} is the primary${followed(opened.replicas.map((node) => node.name))}\n`)
    })
}

function followed(names: readonly string[]): string {
  if (names.length === 0) return ''
  return names.length === 1 ? `; ${names[0]} follows it` : `; ${names.join(', ')} follow it`
}

function onNode(command: Command, done: string, run: (node: SandboxNode) => Promise<void>): void {
  command
    .argument('<node>')
    .option(...sandboxNameOption)
    .action(async (name: string, options: Options) => {
      await run((await openSandbox(options.name)).node(name))
      process.stdout.write(`${name} ${done}\n`)
    })
}
