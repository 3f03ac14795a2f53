import type { Command } from 'commander'
import { openSandbox } from '../../sandbox/open-sandbox.js'
import { sandboxNameOption } from './sandbox-name-option.js'

export function addSandboxStart(sandbox: Command): void {
  sandbox
    .command('start')
    .description('start a server that does not run; without a node all of them, as after a restart of the machine')
    .argument('[node]')
    .option(...sandboxNameOption)
    .action(async (name: string | undefined, options: { readonly name?: string }) => {
      const opened = await openSandbox(options.name)
      await (name === undefined ? opened.startAll() : opened.node(name).start())
      process.stdout.write(name === undefined ? `all servers of sandbox ${opened.name} run\n` : `${name} runs\n`)
    })
}
