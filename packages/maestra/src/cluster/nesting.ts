import { type CST, Parser } from 'yaml'

/**
 * Where the collections of a text first lie deeper in one another than `most`. Asked before the text is composed:
 * composing goes one call
 * down for each level, and Node.js does not always survive a regular expression at the end of the stack.
 */
export function tooDeepAt(text: string, most: number): number | undefined {
  const waiting: { readonly token: CST.Token; readonly depth: number }[] = []
  for (const token of new Parser().parse(text)) waiting.push({ token, depth: 0 })
  let first: number | undefined
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { token, depth } = next
    if (depth > most) {
      first = Math.min(first ?? token.offset, token.offset)
      continue
    }
    for (const inner of insideOf(token)) waiting.push({ token: inner, depth: depth + 1 })
  }
  return first
}

function insideOf(token: CST.Token): CST.Token[] {
  if (token.type === 'document') return token.value === undefined ? [] : [token.value]
  if (!('items' in token)) return []
  return token.items.flatMap(({ key, value }) => [key, value].filter((inner) => inner !== undefined && inner !== null))
}
