import { Argument, type Command } from 'commander'
import { type NamesOf, namesOf } from '../command-tree.js'
import { completionNames } from '../completion-names.js'

/** For the scripts of `completion` alone: names, one a line. A word that cannot be had is no error at a keyboard. */
export function addCompleteWords(program: Command): void {
  program
    .command('complete-words', { hidden: true })
    .addArgument(new Argument('<of>', 'which names').choices(namesOf))
    .argument('[words...]', 'the words of the line so far, behind --')
    .action(async (of: NamesOf, words: readonly string[]) => {
      const names = await completionNames(of, words).catch((): readonly string[] => [])
      process.stdout.write(names.map((name) => `${name}\n`).join(''))
    })
}
