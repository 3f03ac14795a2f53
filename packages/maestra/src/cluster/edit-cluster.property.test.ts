import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { DeclaredCluster } from './declared-cluster.js'
import { loadCluster } from './load-cluster.js'
import { isSameButFor } from './same-but-for.js'
import { withNode } from './with-node.js'
import { withoutNode } from './without-node.js'

const comment = fc.constantFrom('', '', ' # a comment, with - { signs }: #')
const pieces = (index: number) =>
  fc.record({
    above: fc.array(fc.constantFrom('', '# above', '#- name: none'), { maxLength: 2 }),
    keys: fc.shuffledSubarray(['port', 'host', 'parameters', 'primary']),
    braces: fc.boolean(),
    quote: fc.constantFrom('', "'", '"'),
    comment,
    inside: fc.constantFrom('', '# inside'),
    below: fc.constantFrom('', '# deeper'),
    index: fc.constant(index),
  })
type Pieces = typeof pieces extends (index: number) => fc.Arbitrary<infer T> ? T : never

const values: Readonly<Record<string, (index: number) => string>> = {
  port: (index) => String(6000 + index),
  host: () => '127.0.0.1',
  parameters: () => '{ work_mem: 8MB }',
  primary: (index) => String(index === 0),
}

/** The lines of one node without their indent, the dash included. */
function nodeLines(node: Pieces): string[] {
  const pairs = [
    `name: ${node.quote}db${node.index}${node.quote}`,
    ...node.keys.map((key) => `${key}: ${values[key]?.(node.index)}`),
    `data: ./data/db${node.index}`,
  ]
  if (node.braces) return [...node.above, `- { ${pairs.join(', ')} }${node.comment}`]
  const [first, ...rest] = pairs.map((pair) => `${pair}${node.comment}`)
  const inner = [node.inside, ...rest, node.below].filter((line) => line !== '').map((line) => `  ${line}`)
  return [...node.above, `- ${first}`, ...inner]
}

const file = fc
  .record({
    nodes: fc
      .integer({ min: 1, max: 4 })
      .chain((count) => fc.tuple(...Array.from({ length: count }, (_, i) => pieces(i)))),
    indent: fc.constantFrom('', '  ', '    '),
    before: fc.constantFrom('', '# first words\n\n'),
    after: fc.constantFrom('', '\n# Who.\nallow: []\n', 'parameters: # all\n  jit: off\n', '# the end'),
    ending: fc.constantFrom('\n', '\r\n'),
  })
  .map(({ nodes, indent, before, after, ending }) => {
    const lines = nodes.flatMap(nodeLines).map((line) => (line === '' ? '' : indent + line))
    const text = `${before}cluster: shop\nnodes: # some\n${lines.join('\n')}\npostgres: { version: 18 }\n${after}`
    return { text: text.replaceAll('\n', ending), count: nodes.length }
  })

function load(text: string): DeclaredCluster {
  const { cluster, findings } = loadCluster(text, '/shop/maestra.yaml')
  if (cluster === undefined) throw new Error(`${JSON.stringify(findings)}\n${text}`)
  return cluster
}

/** Whether `longer` is `shorter` with one piece put in. */
function hasOnePieceMore(longer: string, shorter: string): boolean {
  let head = 0
  while (head < shorter.length && longer[head] === shorter[head]) head += 1
  return longer.endsWith(shorter.slice(head))
}

test('a node that is added changes nothing else of what a file says, and no other character', () => {
  fc.assert(
    fc.property(file, ({ text }) => {
      const after = withNode(text, { name: 'db9', port: 7000, data: './data/db9' }) ?? ''
      expect(isSameButFor('db9', load(text), load(after))).toBe(true)
      expect(load(after).nodes.at(-1)).toMatchObject({ name: 'db9', port: 7000, data: '/shop/data/db9' })
      expect(hasOnePieceMore(after, text)).toBe(true)
      expect(withoutNode(after, 'db9')).toBe(text)
    }),
    { numRuns: 500 },
  )
})

test('a node that is removed changes nothing else of what a file says, and no other character', () => {
  fc.assert(
    fc.property(file, fc.nat(), ({ text, count }, pick) => {
      if (count === 1) return
      const name = `db${pick % count}`
      const after = withoutNode(text, name) ?? ''
      expect(isSameButFor(name, load(text), load(after))).toBe(true)
      expect(load(after).nodes.map((node) => node.name)).not.toContain(name)
      expect(hasOnePieceMore(text, after)).toBe(true)
    }),
    { numRuns: 500 },
  )
})
