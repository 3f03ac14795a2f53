import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { statementReasons } from '../routing/statement/statement.js'

const textOf = (path: string): string => readFileSync(fileURLToPath(new URL(path, import.meta.url)), 'utf8')

/** The words that the first column of each table of a page says in code, in their order. */
function namedIn(page: string): readonly string[] {
  const rows = textOf(`../../../../docs/${page}`).matchAll(/^\|([^|]*)\|/gm)
  return [...rows].flatMap(([, first = '']) => [...first.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word))
}

function wordsOf(path: string, pattern: RegExp): readonly string[] {
  return [...textOf(path).matchAll(pattern)].map(([, word = '']) => word)
}

const reasonTypes = /type ConditionReason =(.*?)\n\n/s.exec(textOf('../routing/route.ts'))?.[1] ?? ''

const said: readonly (readonly [string, readonly string[]])[] = [
  ['reason of a text', Object.keys(statementReasons)],
  ['reason beside it', [...reasonTypes.matchAll(/'([\w-]+)'/g)].map(([, word = '']) => word)],
  ['event of the pool', wordsOf('pool-events.ts', /readonly kind: '([\w-]+)'/g)],
  ['event of a server', wordsOf('../routing/topology/topology-event.ts', /readonly kind: '([\w-]+)'/g)],
  ['option', wordsOf('pool-options.ts', /^ {2}readonly (\w+)\?:/gm)],
  ['option of a statement', wordsOf('calls/query-arguments.ts', /^ {2}readonly (\w+)\?:/gm)],
  ['outcome', ['not-started', 'rolled-back', 'unknown']],
]

describe.each(['pool.md', 'pool.es.md'])('docs/%s', (page) => {
  it.each(said)('has each %s', (_what, words) => {
    expect(words.length).toBeGreaterThan(2)
    expect(words.filter((word) => !namedIn(page).includes(word))).toEqual([])
  })
})

it('names in Spanish what it names in English', () => {
  expect(namedIn('pool.es.md')).toEqual(namedIn('pool.md'))
})
