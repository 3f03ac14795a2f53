import { MaestraError } from '@maestra/client/base/error'
import type { Command } from 'commander'
import { findSandbox } from '../../sandbox/open-sandbox.js'
import { runSql } from '../../server/run-sql.js'
import { resultJson, resultsView } from '../views/result-view.js'

type Options = { readonly name?: string; readonly json?: boolean }

export function addSandboxSql(sandbox: Command): void {
  sandbox
    .command('sql')
    .description('run SQL on a node of a sandbox')
    .argument('<node>', 'db1 is the primary')
    .argument('<statement>', 'one statement, or several with semicolons between them')
    .option('--name <name>', 'the sandbox; not needed while only one is up')
    .option('--json', 'print the rows as JSON')
    .action(sql)
}

async function sql(node: string, statement: string, options: Options): Promise<void> {
  const sandbox = await findSandbox(options.name)
  const found = sandbox.nodes.find((each) => each.name === node)
  if (found === undefined) {
    const names = sandbox.nodes.map((each) => each.name).join(', ')
    throw new MaestraError('bad-usage', `sandbox ${sandbox.name} has no node ${node}; it has ${names}`)
  }
  const results = await runSql(found.url, statement)
  process.stdout.write(options.json ? resultJson(results) : resultsView(results))
}
