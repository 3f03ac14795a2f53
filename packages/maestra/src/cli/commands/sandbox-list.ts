import type { Command } from 'commander'
import { listSandboxes } from '../../sandbox/open-sandbox.js'
import { sandboxListJson, sandboxListView } from '../views/sandbox-list-view.js'

export function addSandboxList(sandbox: Command): void {
  sandbox
    .command('list')
    .description('the sandboxes that are up')
    .option('--json', 'print them as JSON')
    .action(async (options: { readonly json?: boolean }) => {
      const found = await listSandboxes((problem) => process.stderr.write(`Warning: not taken down: ${problem}\n`))
      process.stdout.write(options.json ? sandboxListJson(found) : sandboxListView(found))
    })
}
