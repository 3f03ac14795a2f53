import { MaestraError } from '@maestra/client/base/error'
import type { Command } from 'commander'
import { superuser } from '../../cluster/declared-cluster.js'
import { LocalHost } from '../../host/local/local-host.js'
import { openSandbox } from '../../sandbox/open-sandbox.js'
import type { CommandContext } from '../command-context.js'
import { sandboxNameOption } from './sandbox-name-option.js'

export function addSandboxPsql(sandbox: Command, context: CommandContext): void {
  sandbox
    .command('psql')
    .description('open psql on a node of a sandbox, where psql is installed')
    .argument('<node>')
    .argument('[arguments...]', 'arguments for psql, after --')
    .option(...sandboxNameOption)
    .action((node: string, args: readonly string[], options: { readonly name?: string }) =>
      psql(node, args, options, context),
    )
}

async function psql(
  name: string,
  args: readonly string[],
  options: { readonly name?: string },
  context: CommandContext,
): Promise<void> {
  const node = (await openSandbox(options.name)).node(name)
  const password = decodeURIComponent(new URL(node.url).password)
  const env = { PGHOST: node.host, PGPORT: String(node.port), PGUSER: superuser, PGDATABASE: superuser }
  // Ctrl-C on its prompt is psql's own.
  context.leaveSignals()
  process.exitCode = await new LocalHost().processes
    .runHere('psql', args, { env: { ...env, PGPASSWORD: password } })
    .catch((error) => {
      throw new MaestraError('no-binaries', 'psql was not found in PATH', {
        cause: error,
        hint: `install the client programs of PostgreSQL, or: maestra sandbox sql ${name} "<statement>"`,
      })
    })
}
