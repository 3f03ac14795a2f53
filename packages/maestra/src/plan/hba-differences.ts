import type { HbaLine } from '@maestra/client/postgres/hba'
import { hbaLineText } from '../cluster/declared-hba-lines.js'
import { onceForEach } from '../cluster/once-for-each.js'
import { withoutSecrets } from './without-secrets.js'

/** A rule in Maestra's block that is not declared, or is missing from it. `line` counts from 1 within the block. */
export type HbaDifference = {
  readonly line?: number
  readonly what?: string
  readonly from?: string
  readonly to?: string
}

/** How Maestra's block of pg_hba.conf differs from the declared lines; in it the order counts. */
export function hbaDifferences(declared: readonly HbaLine[], block: string | undefined): readonly HbaDifference[] {
  const { texts: wanted, block: whole } = declaredTexts(declared)
  if (block?.trimEnd() === whole) return []
  const found = (block ?? '')
    .split('\n')
    .map((text, index) => ({ text, line: index + 1 }))
    .filter(({ text }) => text.trim() !== '')
  const texts = found.map(({ text }) => text)
  const present = new Set(texts)
  const known = new Set(wanted)
  const lacks = wanted.filter((line) => !present.has(line))
  const more = found.filter(({ text }) => !known.has(text))
  // A rule that was edited keeps most of its words: it is one difference, not two.
  const edited = more.flatMap(({ text, line }) => {
    const to = takeAlike(lacks, text)
    return to === undefined ? [] : [{ line, from: withoutSecrets(text), to }]
  })
  const editedLines = new Set(edited.map(({ line }) => line))
  const gone = more
    .filter(({ line }) => !editedLines.has(line))
    .map(({ text, line }) => ({ line, from: withoutSecrets(text) }))
  const changed = [...edited, ...gone].toSorted((a, b) => a.line - b.line)
  const all = [...changed, ...lacks.map((to) => ({ to }))]
  if (all.length > 0 || texts.join('\n') === wanted.join('\n')) return all
  return [{ ...firstLine(found), what: 'rules', from: 'in another order', to: 'in the declared order' }]
}

/** Nodes that let the same connections in have the same array. */
const declaredTexts = onceForEach((declared: readonly HbaLine[]) => {
  const texts = declared.map(hbaLineText)
  return { texts, block: texts.join('\n') }
})

/** Takes the rule out of the list that an edited one was: for the same connections, or with all but one word the same. */
function takeAlike(rules: string[], edited: string): string | undefined {
  const words = edited.split(/[ \t]+/)
  const index = rules.findIndex((rule) => {
    const wanted = rule.split(' ')
    return wanted.length === words.length && wanted.filter((word, at) => word !== words[at]).length === 1
  })
  return index < 0 ? undefined : rules.splice(index, 1)[0]
}

function firstLine([first]: readonly { readonly line: number }[]): { readonly line?: number } {
  return first === undefined ? {} : { line: first.line }
}
