import type { Command } from 'commander'
import { downSandbox } from '../../sandbox/open-sandbox.js'

export function addSandboxDown(sandbox: Command): void {
  sandbox
    .command('down')
    .description('take a sandbox down, whoever started it')
    .argument('[name]', 'its name; not needed while only one is up')
    .action(async (name: string | undefined) => {
      process.stdout.write(`sandbox ${await downSandbox(name)} is down; nothing of it is left\n`)
    })
}
