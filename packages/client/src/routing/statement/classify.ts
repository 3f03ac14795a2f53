import type { CatalogNames } from './catalog-names.js'
import { classifyTree, other, type ParsedText } from './classify-tree.js'
import { outlineOf } from './sql-text.js'
import { type Statement, type StatementKind, withHint } from './statement.js'
import { TextMemory } from './text-memory.js'

export type ClassifierOptions = {
  /** How many texts are remembered, at the least; twice as many at the most. */
  readonly cacheSize?: number
}

/** Characters above which a text is not parsed: a list of 300 kB would take a quarter of a second. @internal */
export const longestParsed = 16 * 1024

type Parse = (text: string) => ParsedText

/**
 * Says of a text what it is, by PostgreSQL's own grammar, as far as it was loaded, and by the names of what was made in the
 * database, as far as they are known. Remembers by text. @public
 */
export class Classifier {
  readonly #cacheSize: number
  readonly #memory: TextMemory<Statement>
  #parse: Parse | undefined
  #names: CatalogNames | undefined
  /** Texts that a standby refused, and the names under which it did. */
  readonly #refused = new Set<string>()
  #refusedUnder: CatalogNames | undefined

  constructor({ cacheSize = 1_000 }: ClassifierOptions = {}) {
    this.#cacheSize = cacheSize
    this.#memory = new TextMemory(cacheSize)
  }

  /** Loads the grammar, some 2 MB of WebAssembly, and warms it: 40 ms or more of this thread. Rejects when it cannot be loaded. */
  async load(): Promise<void> {
    const grammar = await import('libpg-query')
    await grammar.loadModule()
    grammar.parseSync('select 1')
    this.#parse = grammar.parseSync
    this.#memory.clear()
  }

  /** From now on texts are judged by these names; by none, nothing is proven. */
  setNames(names: CatalogNames | undefined): void {
    this.#names = names
    if (names !== undefined && names !== this.#refusedUnder) {
      this.#refused.clear()
      this.#refusedUnder = names
    }
    this.#memory.clear()
  }

  /** A standby refused it as a write: neither a hint nor a proof sends it to one again, until the names are others (rule R8). */
  refusedAsWrite(text: string): void {
    if (this.#refused.size >= this.#cacheSize) this.#refused.clear()
    this.#refused.add(text)
    this.#memory.delete(text)
  }

  classify(text: string): Statement {
    const known = this.#memory.get(text)
    if (known !== undefined) return known
    const statement = this.#judge(text)
    if (text.length <= longestParsed) this.#memory.set(text, statement)
    return statement
  }

  #judge(text: string): Statement {
    const hint = text.includes('maestra:') ? outlineOf(text).hint : undefined
    const statement = this.#judgeWithoutHint(text)
    if (statement.replicaByHint && this.#refused.has(text)) return writes(statement)
    return hint === undefined ? statement : withHint(statement, hint)
  }

  #judgeWithoutHint(text: string): Statement {
    if (text.length > longestParsed) return unparsed(text, 'too-long')
    if (this.#parse === undefined) return unparsed(text, 'grammar-not-loaded')
    // The server would see the text up to there, or refuse it: the drivers end it with that character.
    if (text.includes('\0')) return { ...unparsed(text, 'unparsable'), kind: 'other' }
    if (this.#names?.standardStrings === false && text.includes('\\')) return unparsed(text, 'string-escapes')
    return parsedOr(this.#parse, text)?.(this.#names) ?? unparsed(text, 'unparsable')
  }
}

function writes(statement: Statement): Statement {
  return { ...statement, kind: 'read-on-primary', reason: 'refused-by-replica', mayWrite: true, replicaByHint: false }
}

function parsedOr(parse: Parse, text: string): ((names: CatalogNames | undefined) => Statement) | undefined {
  let parsed: ParsedText = {}
  try {
    // The grammar's door refuses a text of no length.
    parsed = text === '' ? {} : parse(text)
  } catch {
    return undefined
  }
  return (names) => classifyTree(parsed, names)
}

const transactionWords: readonly (readonly [RegExp, StatementKind])[] = [
  [/^(begin|start transaction)\b/, 'begin'],
  [/^(commit|rollback) prepared\b/, 'other'],
  [/^(commit|end|prepare transaction)\b/, 'commit'],
  [/^rollback to\b/, 'savepoint'],
  [/^(rollback|abort)\b/, 'rollback'],
  [/^(savepoint|release)\b/, 'savepoint'],
]

/** What the first words of a text tell without the grammar. Nothing in it is proven: it counts as a write. */
function unparsed(
  text: string,
  reason: 'too-long' | 'grammar-not-loaded' | 'unparsable' | 'string-escapes',
): Statement {
  const { words, several } = outlineOf(text)
  const unknown: Statement = { ...other(reason), single: false, maySetParameters: true, changesNames: true }
  if (several || reason === 'unparsable' || reason === 'string-escapes') return unknown
  const kind = transactionWords.find(([pattern]) => pattern.test(words))?.[1]
  if (kind !== undefined)
    return { ...unknown, kind, mayWrite: kind === 'commit', maySetParameters: false, changesNames: false }
  const isQuery = /^(select|values|table|with|show|explain)\b/.test(words)
  const isRowChange = /^(insert|update|delete|merge)\b/.test(words)
  return { ...unknown, kind: isQuery ? 'read-on-primary' : 'other', changesNames: !isQuery && !isRowChange }
}
