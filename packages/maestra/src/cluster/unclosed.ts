import { type Document, isCollection, isScalar, visit } from 'yaml'

/**
 * Where the innermost quote or bracket begins that the text does not close. The parser itself points at where it gave
 * up: often the end.
 */
export function unclosedStart(document: Document.Parsed, text: string): number | undefined {
  let start: number | undefined
  visit(document, (_, node) => {
    if (!(isScalar(node) || isCollection(node)) || !node.range) return
    const [from, to] = node.range
    const closing = closers[text.charAt(from)]
    const opens = isScalar(node) ? node.type?.startsWith('QUOTE') === true : node.flow === true
    if (opens && closing !== undefined && (to - from < 2 || text.charAt(to - 1) !== closing)) start = from
  })
  return start
}

const closers: Readonly<Record<string, string>> = { '"': '"', "'": "'", '[': ']', '{': '}' }
