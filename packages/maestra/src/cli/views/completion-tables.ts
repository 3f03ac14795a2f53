import { type CommandNode, wordsText } from '../command-tree.js'

/** What the scripts of all shells look up, as pairs of a key and a text. Keys join words with one space. */
export type CompletionTables = {
  /** `sandbox up`: every way that leads to a command. */
  readonly commandPaths: readonly string[]
  /** `plan --file`: options with a value, and what it may be. */
  readonly optionValues: readonly (readonly [key: string, words: string])[]
  /** `sandbox sql 0`: arguments by their place. */
  readonly arguments: readonly (readonly [key: string, words: string])[]
}

export function completionTables(tree: readonly CommandNode[]): CompletionTables {
  return {
    commandPaths: tree.map((node) => node.path).filter((path) => path !== ''),
    optionValues: tree.flatMap(({ path, options }) =>
      options.flatMap(({ flags, value }) =>
        value === undefined ? [] : flags.map((flag) => [key(path, flag), wordsText(value) || 'anything'] as const),
      ),
    ),
    arguments: tree.flatMap((node) =>
      node.arguments.flatMap((words, index) => {
        const text = wordsText(words)
        return text === '' ? [] : [[key(node.path, String(index)), text] as const]
      }),
    ),
  }
}

/** The program itself has an empty path. */
export function key(path: string, word: string): string {
  return path === '' ? word : `${path} ${word}`
}

/** In single quotes, as every shell takes it for one word; fish knows a backslash in them too. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

/** Lines of a `case`, one for each text, whose patterns are the keys that have it. */
export function caseLines(pairs: readonly (readonly [key: string, text: string])[], run: (text: string) => string) {
  const texts = [...new Set(pairs.map(([, text]) => text))]
  return texts.map((text) => {
    const keys = pairs.filter((pair) => pair[1] === text).map((pair) => quoted(pair[0]))
    return `${keys.join(' | ')}) ${run(text)} ;;`
  })
}
