import { type NodeSpan, nodeSpans } from './node-spans.js'
import { blankStart, lineEnd, lineStart, skipComments } from './text-lines.js'

/**
 * The text of a cluster file without a node; comments above it stay, and so does all else, character for character. The
 * blank lines that kept it apart go too. Undefined when the node is not written out in the list.
 */
export function withoutNode(text: string, name: string): string | undefined {
  const spans = nodeSpans(text)
  const index = spans?.items.findIndex((item) => item.name === name) ?? -1
  const item = spans?.items[index]
  if (spans === undefined || item === undefined) return undefined
  const cut = (from: number, to: number) => text.slice(0, from) + text.slice(to)
  if (!spans.flow) {
    const lines = blockLines(text, item)
    if (lines === undefined) return undefined
    const isLast = index > 0 && index === spans.items.length - 1
    return cut(...(isLast || isBlankBehind(text, lines) ? withBlankLines(text, lines) : lines))
  }
  return cut(...flowPiece(text, item, spans.items[index - 1], spans.items[index + 1]))
}

/** The line of the comment directly above a node, counted from 1: it stays, and may have been about the node alone. */
export function commentAbove(text: string, name: string): number | undefined {
  const spans = nodeSpans(text)
  const item = spans?.items.find((each) => each.name === name)
  if (spans === undefined || item === undefined) return undefined
  const start = lineStart(text, item.start)
  if (start === 0 || !/^[ \t]*#/.test(text.slice(lineStart(text, start - 1), start))) return undefined
  return text.slice(0, start).split('\n').length - 1
}

type Piece = readonly [from: number, to: number]

/** The lines of the node and of the comments in it. */
function blockLines(text: string, item: NodeSpan): Piece | undefined {
  const start = lineStart(text, item.start)
  const indent = item.start - start
  if (text.slice(start, item.start).trim() !== '') return undefined
  return [start, skipComments(text, lineEnd(text, item.end), indent + 1)]
}

function isBlankBehind(text: string, [, to]: Piece): boolean {
  return to === text.length || text.slice(to, lineEnd(text, to)).trim() === ''
}

function withBlankLines(text: string, [from, to]: Piece): Piece {
  return [blankStart(text, from), to]
}

/** The node with one comma; a comment that stands between two nodes stays. */
function flowPiece(text: string, item: NodeSpan, before: NodeSpan | undefined, after: NodeSpan | undefined): Piece {
  const line = ownLine(text, item)
  if (after !== undefined) {
    if (line !== undefined) return line
    const between = text.slice(item.end, after.start)
    return [item.start, between.includes('#') ? item.end + between.indexOf(',') + 1 : after.start]
  }
  if (line !== undefined) return line
  const isBare = before !== undefined && !text.slice(before.end, item.start).includes('#')
  return [isBare ? before.end : item.start, item.end]
}

/** The whole line, when a node in brackets has one of its own. */
function ownLine(text: string, item: NodeSpan): Piece | undefined {
  const start = lineStart(text, item.start)
  const end = lineEnd(text, item.end)
  const isAlone =
    text.slice(start, item.start).trim() === '' && /^[ \t]*,?[ \t]*(#.*)?\r?\n/.test(text.slice(item.end, end))
  return isAlone ? [start, end] : undefined
}
