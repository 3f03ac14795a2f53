import { Argument, type Command } from 'commander'
import { type CommandNode, commandTree } from '../command-tree.js'
import { bashCompletion } from '../views/completion-bash.js'
import { fishCompletion } from '../views/completion-fish.js'
import { zshCompletion } from '../views/completion-zsh.js'

const shells: Readonly<Record<string, (tree: readonly CommandNode[]) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
}

export function addCompletion(program: Command): void {
  program
    .command('completion')
    .description('print a script by which a shell completes commands, options and names')
    .addArgument(new Argument('<shell>', 'which shell').choices(Object.keys(shells)))
    .action((shell: string) => {
      process.stdout.write(shells[shell]?.(commandTree(program)) ?? '')
    })
}
