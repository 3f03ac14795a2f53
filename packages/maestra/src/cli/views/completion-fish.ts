import type { CommandNode, Words } from '../command-tree.js'
import { completionTables, key } from './completion-tables.js'

/** A script for fish. */
export function fishCompletion(tree: readonly CommandNode[]): string {
  const tables = completionTables(tree)
  const list = (keys: readonly string[]) => keys.map(fishQuoted).join(' ')
  const lines = tree.flatMap((node) => [
    ...node.commands.map(
      ({ name, description }) =>
        `complete -c maestra -n ${fishQuoted(`__maestra_at ${fishQuoted(key(node.path, '0'))}`)} -a ${name} -d ${fishQuoted(description)}`,
    ),
    ...node.options.map(({ flags, description, value }) => {
      const at = fishQuoted(`__maestra_in ${fishQuoted(node.path)}`)
      const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`))
      return `complete -c maestra -n ${at} ${names.join(' ')} -d ${fishQuoted(description)}${valueText(value)}`
    }),
    ...node.arguments.flatMap((words, index) => {
      const text = wordList(words)
      const offer = words.kind === 'files' ? '-F' : text === undefined ? undefined : `-a ${text}`
      if (offer === undefined) return []
      return `complete -c maestra -n ${fishQuoted(`__maestra_at ${fishQuoted(key(node.path, String(index)))}`)} ${offer}`
    }),
  ])
  return `# Completion of maestra for fish, printed by: maestra completion fish
set -g __maestra_paths ${list(tables.commandPaths)}
set -g __maestra_values ${list(tables.optionValues.map(([name]) => name))}

# Prints the command of the line, and behind it how many of its arguments are there.
function __maestra_state
    set -l words (commandline -opc)
    set -l path
    set -l count 0
    set -l skip 0
    for word in $words[2..-1]
        if test $skip = 1
            set skip 0
            continue
        end
        set -l key (string join -- ' ' $path $word)
        if contains -- $key $__maestra_paths
            set path $path $word
            set count 0
        else if contains -- $key $__maestra_values
            set skip 1
        else if not string match -q -- '-*' $word
            set count (math $count + 1)
        end
    end
    string join -- ' ' $path
    string join -- ' ' $path $count
end

function __maestra_in
    set -l state (__maestra_state)
    test "$state[1]" = "$argv[1]"
end

function __maestra_at
    set -l state (__maestra_state)
    test "$state[-1]" = "$argv[1]"
end

function __maestra_names
    set -l words (commandline -opc)
    $words[1] complete-words $argv[1] -- $words[2..-1] 2>/dev/null
end

complete -c maestra -f
${lines.join('\n')}
`
}

function valueText(value: Words | undefined): string {
  if (value === undefined) return ''
  if (value.kind === 'files') return ' -r -F'
  if (value.kind === 'directories') return " -x -a '(__fish_complete_directories)'"
  const words = wordList(value)
  return words === undefined ? ' -x' : ` -x -a ${words}`
}

function wordList(words: Words): string | undefined {
  if (words.kind === 'choices') return fishQuoted(words.choices.join(' '))
  return words.kind === 'names' ? fishQuoted(`(__maestra_names ${words.of})`) : undefined
}

function fishQuoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
