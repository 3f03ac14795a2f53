import type { Argument, Command, Option } from 'commander'

/** What completion knows of one command, its subcommands being nodes of their own. */
export type CommandNode = {
  /** The words that lead to it: empty for the program, `sandbox up` for a subcommand. */
  readonly path: string
  readonly commands: readonly { readonly name: string; readonly description: string }[]
  readonly options: readonly {
    /** `-f`, `--file`. */
    readonly flags: readonly string[]
    readonly description: string
    /** What its value may be; undefined when it takes none. */
    readonly value: Words | undefined
  }[]
  /** What each of its arguments may be, in order. */
  readonly arguments: readonly Words[]
}

/** Where the words of a value come from. Names are asked for when they are needed: `maestra complete-words <of>`. */
export type Words =
  | { readonly kind: 'anything' }
  | { readonly kind: 'files' }
  | { readonly kind: 'directories' }
  | { readonly kind: 'choices'; readonly choices: readonly string[] }
  | { readonly kind: 'names'; readonly of: NamesOf }

/** Names that only a look at the machine gives. */
export const namesOf = ['replicas', 'sandboxes', 'sandbox-nodes'] as const
export type NamesOf = (typeof namesOf)[number]

/** The program and every command below it that its help shows. */
export function commandTree(program: Command): readonly CommandNode[] {
  return nodesOf(program, [])
}

function nodesOf(command: Command, path: readonly string[]): readonly CommandNode[] {
  const help = command.createHelp()
  const commands = help.visibleCommands(command)
  const node: CommandNode = {
    path: path.join(' '),
    commands: commands.map((each) => ({ name: each.name(), description: each.description() })),
    options: help.visibleOptions(command).map((option) => ({
      flags: [option.short, option.long].filter((flag) => flag !== undefined),
      description: option.description,
      value: option.required || option.optional ? optionWords(option, path) : undefined,
    })),
    arguments: command.registeredArguments.map((argument) => argumentWords(argument, path)),
  }
  // `help` is made for the list alone.
  const real = commands.filter((each) => command.commands.includes(each))
  return [node, ...real.flatMap((each) => nodesOf(each, [...path, each.name()]))]
}

function optionWords(option: Option, path: readonly string[]): Words {
  if (option.argChoices !== undefined) return { kind: 'choices', choices: option.argChoices }
  if (/<file>/.test(option.flags)) return { kind: 'files' }
  if (/<directory>/.test(option.flags)) return { kind: 'directories' }
  if (/<node>/.test(option.flags)) return { kind: 'names', of: 'replicas' }
  // A sandbox that is to come up has a name that nobody has yet.
  const isOfSandbox = option.long === '--name' && path[0] === 'sandbox' && path[1] !== 'up'
  return isOfSandbox ? { kind: 'names', of: 'sandboxes' } : { kind: 'anything' }
}

function argumentWords(argument: Argument, [first]: readonly string[]): Words {
  if (argument.argChoices !== undefined) return { kind: 'choices', choices: argument.argChoices }
  if (argument.name() === 'plan-file') return { kind: 'files' }
  if (argument.name() === 'node') return { kind: 'names', of: first === 'sandbox' ? 'sandbox-nodes' : 'replicas' }
  return argument.name() === 'name' && first === 'sandbox' ? { kind: 'names', of: 'sandboxes' } : { kind: 'anything' }
}

/** Tells a text for the tables of a shell: `files`, `choices:a b`, `names:replicas`; empty for anything. */
export function wordsText(words: Words | undefined): string {
  if (words === undefined || words.kind === 'anything') return ''
  if (words.kind === 'choices') return `choices:${words.choices.join(' ')}`
  return words.kind === 'names' ? `names:${words.of}` : words.kind
}
