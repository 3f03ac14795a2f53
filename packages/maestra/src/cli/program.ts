import { Command } from 'commander'
import type { CommandContext } from './command-context.js'
import { addAdd } from './commands/add.js'
import { addApply } from './commands/apply.js'
import { addCompleteWords } from './commands/complete-words.js'
import { addCompletion } from './commands/completion.js'
import { addInit } from './commands/init.js'
import { addPlan } from './commands/plan.js'
import { addRemove } from './commands/remove.js'
import { addSandbox } from './commands/sandbox.js'
import { addStatus } from './commands/status.js'
import { version } from './version.js'

/** The whole command line. Parsing throws a CommanderError on bad usage; it never ends the process. */
export function buildProgram(context: CommandContext): Command {
  const program = new Command('maestra')
    .description('Read replicas for the PostgreSQL that you run: declare them, see the plan, apply it, watch it.')
    .version(version(), '-V, --version', 'print the version')
    .exitOverride()
    .showHelpAfterError('Try: maestra --help')
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'Error: ')) })
  addInit(program, context)
  addAdd(program)
  addRemove(program)
  addPlan(program, context)
  addApply(program, context)
  addStatus(program, context)
  addSandbox(program, context)
  addCompletion(program)
  addCompleteWords(program)
  return program
}
