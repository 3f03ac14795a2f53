import type { Command } from 'commander'
import { openSandbox } from '../../sandbox/open-sandbox.js'
import { runSql } from '../../server/run-sql.js'
import { resultJson, resultsView } from '../views/result-view.js'
import { sandboxNameOption } from './sandbox-name-option.js'

type Options = { readonly name?: string; readonly json?: boolean }

export function addSandboxSql(sandbox: Command): void {
  sandbox
    .command('sql')
    .description('run SQL on a node of a sandbox')
    .argument('<node>', 'db1 is the primary at the start')
    .argument('<statement>', 'one statement, or several with semicolons between them')
    .option(...sandboxNameOption)
    .option('--json', 'print the rows as JSON')
    .action(sql)
}

async function sql(node: string, statement: string, options: Options): Promise<void> {
  const sandbox = await openSandbox(options.name)
  const results = await runSql(sandbox.node(node).url, statement)
  process.stdout.write(options.json ? resultJson(results) : resultsView(results))
}
