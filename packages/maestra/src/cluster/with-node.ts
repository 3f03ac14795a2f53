import { stringify } from 'yaml'
import { type NodeSpan, nodeSpans } from './node-spans.js'
import type { NodeDeclaration } from './print-cluster-file.js'
import { hasBlankLine, lineEnd, lineEnding, lineStart, skipComments } from './text-lines.js'

/**
 * The text of a cluster file with one more node at the end of its list, written as the node before it is; all else stays
 * character for character. Undefined when the list is not written out, so that only a person can add to it.
 */
export function withNode(text: string, node: NodeDeclaration): string | undefined {
  const spans = nodeSpans(text)
  const last = spans?.items.at(-1)
  if (spans === undefined || last === undefined) return undefined
  return spans.flow ? withFlowItem(text, last, node) : withBlockItem(text, spans.items, last, node)
}

/** A node in one line, as it may stand in a list without brackets: for a person who adds it. */
export function nodeText(node: NodeDeclaration): string {
  return `- ${bracedText(node)}`
}

const yaml = { version: '1.2', lineWidth: 0 } as const

function withBlockItem(text: string, items: readonly NodeSpan[], last: NodeSpan, node: NodeDeclaration) {
  const start = lineStart(text, last.start)
  const indent = text.slice(start, last.start)
  if (indent.trim() !== '') return undefined
  const ending = lineEnding(text)
  const at = skipComments(text, lineEnd(text, last.end), Math.max(1, indent.length))
  const gap = /^ +$/.exec(text.slice(last.start + 1, last.value))?.[0] ?? ' '
  const lines = last.flow ? [flowText(text, last, node)] : stringify(node, yaml).trimEnd().split('\n')
  const item = lines.map((line, index) => `${indent}${index === 0 ? '-' : ' '}${gap}${line}`).join(ending)
  const previous = items.at(-2)
  const isSpaced = previous !== undefined && hasBlankLine(text.slice(lineEnd(text, previous.end), start))
  const isEnded = text[at - 1] === '\n'
  return (
    text.slice(0, at) +
    (isEnded ? '' : ending) +
    (isSpaced ? ending : '') +
    item +
    (isEnded ? ending : '') +
    text.slice(at)
  )
}

/** Each node on a line of its own stays so; what stands behind the last one on its line stays with it. */
function withFlowItem(text: string, last: NodeSpan, node: NodeDeclaration): string {
  const item = flowText(text, last, node)
  const before = text.slice(lineStart(text, last.start), last.start)
  const insert = (at: number, piece: string) => text.slice(0, at) + piece + text.slice(at)
  if (before.trim() !== '') return insert(last.end, `, ${item}`)
  const ending = lineEnding(text)
  const end = lineEnd(text, last.end)
  const [behind, comma] = /^[ \t]*(,)?[ \t]*(?:#.*)?\r?\n/.exec(text.slice(last.end, end)) ?? []
  if (behind === undefined) return insert(last.end, `,${ending}${before}${item}`)
  const line = `${before}${item}${comma ?? ''}${ending}`
  return `${text.slice(0, last.end)}${comma === undefined ? ',' : ''}${text.slice(last.end, end)}${line}${text.slice(end)}`
}

/** In a file that is JSON, as JSON. */
function flowText(text: string, last: NodeSpan, node: NodeDeclaration): string {
  if (/^\{\s*"/.test(text.slice(last.value, last.end))) return JSON.stringify(node, null, 1).replace(/\n\s*/g, ' ')
  return bracedText(node)
}

function bracedText(node: NodeDeclaration): string {
  return stringify(node, { ...yaml, collectionStyle: 'flow' }).trimEnd()
}
