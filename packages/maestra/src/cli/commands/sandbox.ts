import type { Command } from 'commander'
import type { CommandContext } from '../command-context.js'
import { addSandboxDown } from './sandbox-down.js'
import { addSandboxList } from './sandbox-list.js'
import { addSandboxSql } from './sandbox-sql.js'
import { addSandboxUp } from './sandbox-up.js'

export function addSandbox(program: Command, context: CommandContext): void {
  const sandbox = program.command('sandbox').description('test replicas: a real throw-away cluster on this machine')
  addSandboxUp(sandbox, context)
  addSandboxList(sandbox)
  addSandboxSql(sandbox)
  addSandboxDown(sandbox)
}
