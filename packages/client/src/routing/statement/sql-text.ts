import type { RouteHint } from './statement.js'

/** What a look at the text shows without the grammar. */
export type TextOutline = {
  /** The first two words, in lower case: `begin`, `start transaction`, `select`. Parentheses before them do not count. */
  readonly words: string
  /** Something other than blanks, comments and semicolons stands behind a semicolon. */
  readonly several: boolean
  readonly hint?: RouteHint
}

/**
 * From one place to the next of what a semicolon or a comment may be hidden in; what is quoted and comments, which nest, are
 * ended by hand.
 */
const token =
  /(?<blank>[ \t\n\r\f\v(]+)|(?<line>--[^\n\r]*)|(?<block>\/\*)|(?<quote>[eE]'|'|")|(?<dollar>\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$)|(?<word>[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)|(?<semicolon>;)|(?<other>[\s\S])/y

const hintPattern = /^\/\*\s*maestra:\s*(primary|replica)\s*\*\/$/

/** Reads a text from its start to its end, at the cost of one pass. */
export function outlineOf(text: string): TextOutline {
  const words: string[] = []
  const hints = new Set<string>()
  let [hasEnded, several, wordsEnded] = [false, false, false]
  token.lastIndex = 0
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const { blank, line, block, quote, dollar, word, semicolon } = match.groups as Record<string, string | undefined>
    if (blank !== undefined || line !== undefined) continue
    if (block !== undefined) {
      const end = endOfComment(text, match.index)
      const [, hint] = hintPattern.exec(text.slice(match.index, end)) ?? []
      if (hint !== undefined) hints.add(hint)
      token.lastIndex = end
      continue
    }
    if (semicolon !== undefined) {
      hasEnded ||= words.length > 0 || wordsEnded
      continue
    }
    several ||= hasEnded
    if (quote !== undefined) token.lastIndex = endOfQuoted(text, token.lastIndex, quote)
    if (dollar !== undefined) {
      const end = text.indexOf(dollar, token.lastIndex)
      token.lastIndex = end === -1 ? text.length : end + dollar.length
    }
    if (word === undefined || wordsEnded) wordsEnded = true
    else if (!hasEnded) wordsEnded = words.push(word.toLowerCase()) === 2
  }
  const hint = hints.has('primary') ? 'primary' : hints.has('replica') ? 'replica' : undefined
  return { words: words.join(' '), several, ...(hint && { hint }) }
}

/** Where the comment that starts there ends; the end of the text when it does not. */
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

/**
 * Where what is quoted from there on ends. A doubled quote is taken for the end and the start of another, which comes to the
 * same. Backslashes count in E'' alone, as with standard_conforming_strings on.
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
