import { badValue } from './bad-value.js'

/** What the setting synchronous_standby_names says: for which standbys a commit waits. */
export type SynchronousStandbyNames = {
  /** FIRST: for the first of the list that stream. ANY: for as many as are asked for, whichever. */
  readonly method: 'FIRST' | 'ANY'
  /** For how many of them. May be more than there are names: one name may stand for several standbys. */
  readonly count: number
  readonly names: readonly string[]
}

type Token = { readonly kind: 'name' | 'number' | 'ANY' | 'FIRST' | '(' | ')' | ','; readonly text: string }

const hint = `Write names and commas, FIRST 1 (a, b) or ANY 1 (a, b); a name with a - stands in double quotes: "db-2".`

/**
 * Reads the setting; undefined for the empty text, with which no commit waits. Throws bad-value for what PostgreSQL
 * does not start with.
 * Source: syncrep_scanner.l and syncrep_gram.y.
 */
export function parseSynchronousStandbyNames(text: string): SynchronousStandbyNames | undefined {
  if (text === '') return undefined
  const tokens = tokensOf(text)
  const [first, second, third] = tokens
  if (first?.kind === 'ANY' || first?.kind === 'FIRST') {
    if (second?.kind !== 'number') throw badValue(`${first.kind} is not followed by a number`, hint)
    return { method: first.kind, count: countOf(second), names: namesInParentheses(tokens.slice(2)) }
  }
  if (first?.kind === 'number' && second?.kind === '(' && third !== undefined)
    return { method: 'FIRST', count: countOf(first), names: namesInParentheses(tokens.slice(1)) }
  return { method: 'FIRST', count: 1, names: namesOf(tokens) }
}

/** Whether a standby of this application_name is meant. In any case, as PostgreSQL compares them; `*` means every one. */
export function namesStandby({ names }: SynchronousStandbyNames, applicationName: string): boolean {
  return names.some((name) => name === '*' || name.toLowerCase() === applicationName.toLowerCase())
}

const patterns = [
  ['name', /"((?:[^"]|"")*)"/y],
  ['name', /([A-Za-z_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*|\*)/y],
  ['number', /(\d+)/y],
  [undefined, /([(),])/y],
] as const

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = []
  const space = /[ \t\n\v\f\r]*/y
  let at = skip(0)
  while (at < text.length) {
    const token = tokenAt()
    if (token === undefined) throw badValue(`character ${at + 1} fits nothing`, hint)
    tokens.push(token)
    at = skip(at)
  }
  return tokens

  function skip(from: number): number {
    space.lastIndex = from
    space.test(text)
    return space.lastIndex
  }

  function tokenAt(): Token | undefined {
    for (const [kind, pattern] of patterns) {
      pattern.lastIndex = at
      const found = pattern.exec(text)?.[1]
      if (found === undefined) continue
      const isQuoted = text[at] === '"'
      at = pattern.lastIndex
      return isQuoted ? { kind: 'name', text: found.replaceAll('""', '"') } : plainToken(kind, found)
    }
    return undefined
  }
}

function plainToken(kind: 'name' | 'number' | undefined, text: string): Token {
  const word = text.toUpperCase()
  if (word === 'ANY' || word === 'FIRST') return { kind: word, text }
  return { kind: kind ?? (text as '(' | ')' | ','), text }
}

function countOf({ text }: Token): number {
  if (Number(text) > 0) return Number(text)
  throw badValue('the number of standbys to wait for is 0', hint)
}

function namesInParentheses(tokens: readonly Token[]): readonly string[] {
  if (tokens[0]?.kind !== '(' || tokens.at(-1)?.kind !== ')')
    throw badValue('the names after the number stand in no parentheses', hint)
  return namesOf(tokens.slice(1, -1))
}

/** Names and commas in turn. A number is a name here. */
function namesOf(tokens: readonly Token[]): readonly string[] {
  const isList = tokens.every(({ kind }, index) =>
    index % 2 === 0 ? kind === 'name' || kind === 'number' : kind === ',',
  )
  if (tokens.length % 2 === 0 || !isList) throw badValue('it is no list of names with commas between them', hint)
  return tokens.filter(({ kind }) => kind !== ',').map(({ text }) => text)
}
