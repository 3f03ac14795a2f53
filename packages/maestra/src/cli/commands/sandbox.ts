import type { Command } from 'commander'
import type { CommandContext } from '../command-context.js'
import { addSandboxDown } from './sandbox-down.js'
import { addSandboxFaults } from './sandbox-faults.js'
import { addSandboxList } from './sandbox-list.js'
import { addSandboxPsql } from './sandbox-psql.js'
import { addSandboxSql } from './sandbox-sql.js'
import { addSandboxStart } from './sandbox-start.js'
import { addSandboxUp } from './sandbox-up.js'

export function addSandbox(program: Command, context: CommandContext): void {
  const sandbox = program.command('sandbox').description('test replicas: a real throw-away cluster on this machine')
  addSandboxUp(sandbox, context)
  addSandboxList(sandbox)
  addSandboxSql(sandbox)
  addSandboxPsql(sandbox, context)
  addSandboxFaults(sandbox)
  addSandboxStart(sandbox)
  addSandboxDown(sandbox)
}
