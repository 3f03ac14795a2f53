import type { RouteHint } from './statement.js'

/** What a look at the text shows without the grammar. Strings end as with standard_conforming_strings on. */
export type TextOutline = {
  /** The first two words, in lower case: `begin`, `start transaction`, `select`. Parentheses before them do not count. */
  readonly words: string
  /** Something other than blanks, comments and semicolons stands behind a semicolon. */
  readonly several: boolean
  readonly hint?: RouteHint
}

const hintPattern = /^\/\*\s*maestra:\s*(primary|replica)\s*\*\/$/

/** Reads a text from its start to its end, from one place where something can begin that hides others to the next. */
export function outlineOf(text: string): TextOutline {
  const edge = /[eE]?'|"|\$|;|--|\/\*/g
  const hints = new Set<string>()
  const statements = new StatementCount(text)
  for (let match = edge.exec(text); match !== null; match = edge.exec(text)) {
    const [mark] = match
    const isComment = mark === '--' || mark === '/*'
    statements.reach(isComment || mark === ';' ? match.index : edge.lastIndex)
    edge.lastIndex = endOf(text, match.index, mark)
    if (mark === ';') statements.end()
    if (isComment || mark === ';') statements.skipTo(edge.lastIndex)
    const [, hint] = (mark === '/*' && hintPattern.exec(text.slice(match.index, edge.lastIndex))) || []
    if (hint !== undefined) hints.add(hint)
  }
  statements.reach(text.length)
  const hint = hints.has('primary') ? 'primary' : hints.has('replica') ? 'replica' : undefined
  return { words: firstWords(text), several: statements.several, ...(hint && { hint }) }
}

/** Tells one statement from several, by what is not blank between semicolons. */
class StatementCount {
  readonly #text: string
  #from = 0
  #hasBegun = false
  #hasEnded = false
  several = false

  constructor(text: string) {
    this.#text = text
  }

  /** What lies between belongs to a statement, unless it is blank. */
  reach(to: number): void {
    const solid = /[^ \t\n\r\f\v]/g
    solid.lastIndex = this.#from
    const found = solid.exec(this.#text)
    this.#from = to
    if (found === null || found.index >= to) return
    if (this.#hasEnded) this.several = true
    this.#hasBegun = true
  }

  end(): void {
    this.#hasEnded ||= this.#hasBegun
  }

  skipTo(from: number): void {
    this.#from = from
  }
}

/** The first two words of a text. */
function firstWords(text: string): string {
  const word = /[ \t\n\r\f\v(]+|;|--[^\n\r]*|\/\*|([A-Za-z_]\w*)/y
  const words: string[] = []
  for (let match = word.exec(text); match !== null && words.length < 2; match = word.exec(text)) {
    if (match[1] !== undefined) words.push(match[1].toLowerCase())
    else if (match[0] === ';' && words.length > 0) break
    else if (match[0] === '/*') word.lastIndex = endOfComment(text, match.index)
  }
  return words.join(' ')
}

/** Where that which begins there with the mark ends. */
function endOf(text: string, start: number, mark: string): number {
  const follows = /[\w$\u0080-\uffff]/.test(text[start - 1] ?? ' ')
  const after = start + mark.length
  switch (mark) {
    case ';':
      return after
    case '--':
      return endAt(text, /[\n\r]/g, after)
    case '/*':
      return endOfComment(text, start)
    case '$':
      return follows ? after : endOfDollars(text, start)
    // The e of date'2020-01-01' belongs to the word.
    default:
      return endOfQuoted(text, after, mark.length === 2 && follows ? "'" : mark)
  }
}

function endAt(text: string, pattern: RegExp, from: number): number {
  pattern.lastIndex = from
  return pattern.test(text) ? pattern.lastIndex : text.length
}

/** Comments nest. */
function endOfComment(text: string, start: number): number {
  const edge = /\/\*|\*\//g
  edge.lastIndex = start
  let depth = 0
  for (let match = edge.exec(text); match !== null; match = edge.exec(text)) {
    depth += match[0] === '/*' ? 1 : -1
    if (depth === 0) return edge.lastIndex
  }
  return text.length
}

/** $$...$$ or $tag$...$tag$; $1 is none. */
function endOfDollars(text: string, start: number): number {
  const tag = /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y
  tag.lastIndex = start
  const [mark] = tag.exec(text) ?? []
  if (mark === undefined) return start + 1
  const end = text.indexOf(mark, start + mark.length)
  return end === -1 ? text.length : end + mark.length
}

/**
 * Where what is quoted from there on ends. A doubled quote is taken for the end and the start of another, which comes to the
 * same. Backslashes count in E'' alone.
 */
function endOfQuoted(text: string, from: number, quote: string): number {
  const mark = quote.slice(-1)
  let end = text.indexOf(mark, from)
  while (quote.length === 2 && end !== -1 && isEscaped(text, from, end)) end = text.indexOf(mark, end + 1)
  return end === -1 ? text.length : end + 1
}

/** Whether an odd number of backslashes stands before that place. */
function isEscaped(text: string, from: number, at: number): boolean {
  let start = at
  while (start > from && text[start - 1] === '\\') start -= 1
  return (at - start) % 2 === 1
}
