import { isAlias, isCollection, isMap, isPair, isScalar, isSeq, type Node, parseDocument } from 'yaml'

/** Where the list of nodes stands in the text of a cluster file. Offsets count characters. */
export type NodeSpans = {
  /** Whether the list stands in brackets. */
  readonly flow: boolean
  readonly items: readonly NodeSpan[]
}

export type NodeSpan = {
  /** Undefined when the entry has no plain name. */
  readonly name: string | undefined
  /** Its data directory, as it is written. */
  readonly data: string | undefined
  /** Where its dash stands, or in brackets the node itself. */
  readonly start: number
  /** Where its first value begins. */
  readonly value: number
  /** Behind the last thing that it says; comments and line ends are not counted. */
  readonly end: number
  /** Whether the node stands in braces. */
  readonly flow: boolean
}

/** Undefined when the list is not written out in the place where it belongs. */
export function nodeSpans(text: string): NodeSpans | undefined {
  const document = parseDocument(text, { uniqueKeys: false, version: '1.2', keepSourceTokens: true })
  const list = isMap(document.contents) ? document.contents.get('nodes', true) : undefined
  if (!isSeq(list) || document.errors.length > 0) return undefined
  const dashes = dashesOf(list.srcToken)
  const items = list.items.map((item, index): NodeSpan | undefined => {
    const node = item as Node | null
    const range = node?.range
    const start = list.flow ? range?.[0] : dashes[index]
    if (!range || start === undefined) return undefined
    return {
      name: textAt(node, 'name'),
      data: textAt(node, 'data'),
      start,
      value: range[0],
      end: endOf(node, text),
      flow: isCollection(node) && node.flow === true,
    }
  })
  const found = items.filter((item) => item !== undefined)
  return found.length === 0 || found.length < items.length ? undefined : { flow: list.flow === true, items: found }
}

function textAt(node: Node | null, key: string): string | undefined {
  const value = isMap(node) ? node.get(key) : undefined
  return typeof value === 'string' ? value : undefined
}

function dashesOf(token: { readonly type?: string } | undefined): readonly (number | undefined)[] {
  if (token?.type !== 'block-seq') return []
  const { items } = token as { readonly items: readonly { readonly start: readonly Token[] }[] }
  return items.map(({ start }) => start.find(({ type }) => type === 'seq-item-ind')?.offset)
}

type Token = { readonly type: string; readonly offset: number }

/** The parser counts comments and blank lines behind a block to the block. */
function endOf(node: unknown, text: string): number {
  if (isPair(node)) return Math.max(endOf(node.key, text), endOf(node.value, text))
  if (isCollection(node) && node.flow !== true) return Math.max(...node.items.map((item) => endOf(item, text)))
  if (!isScalar(node) && !isAlias(node) && !isCollection(node)) return 0
  const end = node.range?.[1] ?? 0
  // A block of text ends behind the line end.
  return isScalar(node) && text[end - 1] === '\n' ? end - 1 : end
}
