import { expect, test } from 'vitest'
import { loadCluster } from './load-cluster.js'
import { nodeText, withNode } from './with-node.js'

const head = 'cluster: shop\npostgres: { version: 18 }\n'
const db3 = { name: 'db3', port: 5434, data: './data/db3' }

/** The lines that a text has more than the one before. */
function added(nodes: string, node = db3): string {
  const before = head + nodes
  const after = withNode(before, node) ?? ''
  const { cluster, findings } = loadCluster(after, '/shop/maestra.yaml')
  expect(findings).toEqual([])
  expect(cluster?.nodes.at(-1)).toMatchObject({ name: node.name, port: node.port, startsAs: 'standby' })
  return after.slice(head.length)
}

const block = `nodes:
  # The servers.
  - name: db1        # the first
    data: "./data/db1"
    primary: true

  # In the other room.
  - name: 'db2'
    data: ./data/db2
    parameters:
      work_mem: 8MB   # it reports
      # and no more

# Who may come in.
allow: [10.0.0.0/8]
`

test('a node comes behind the last one and its comments, written in lines where that one is, a blank line before it', () => {
  expect(added(block)).toBe(
    block.replace(
      '      # and no more\n',
      '      # and no more\n\n  - name: db3\n    port: 5434\n    data: ./data/db3\n',
    ),
  )
})

test.each([
  [
    'in braces where the last one is',
    'nodes:\n- {name: db1,  data: db1, primary: true} # one\nallow: []\n',
    'nodes:\n- {name: db1,  data: db1, primary: true} # one\n- { name: db3, port: 5434, data: ./data/db3 }\nallow: []\n',
  ],
  [
    'at the end of a file without a last line end',
    'nodes:\n    -   name: db1\n        data: db1\n        primary: true',
    'nodes:\n    -   name: db1\n        data: db1\n        primary: true\n    -   name: db3\n        port: 5434\n        data: ./data/db3',
  ],
  [
    'with the line ends of the file',
    'nodes:\r\n  - name: db1\r\n    data: db1\r\n    primary: true\r\nallow: []\r\n',
    'nodes:\r\n  - name: db1\r\n    data: db1\r\n    primary: true\r\n  - name: db3\r\n    port: 5434\r\n    data: ./data/db3\r\nallow: []\r\n',
  ],
  [
    'behind a dash with a line of its own',
    'nodes:\n  -\n    name: db1\n    data: db1\n    primary: true\n',
    'nodes:\n  -\n    name: db1\n    data: db1\n    primary: true\n  - name: db3\n    port: 5434\n    data: ./data/db3\n',
  ],
  [
    'in brackets on one line',
    'nodes: [{ name: db1, data: db1, primary: true }] # all\n',
    'nodes: [{ name: db1, data: db1, primary: true }, { name: db3, port: 5434, data: ./data/db3 }] # all\n',
  ],
  [
    'in brackets on a line of its own, the comment of the last one stays with it',
    'nodes: [\n  { name: db1, data: db1, primary: true } # one\n  ]\n',
    'nodes: [\n  { name: db1, data: db1, primary: true }, # one\n  { name: db3, port: 5434, data: ./data/db3 }\n  ]\n',
  ],
  [
    'in brackets with a comma at their end',
    'nodes: [\n  { name: db1, data: db1, primary: true },\n  ]\n',
    'nodes: [\n  { name: db1, data: db1, primary: true },\n  { name: db3, port: 5434, data: ./data/db3 },\n  ]\n',
  ],
  [
    'in brackets that end behind it',
    'nodes: [\n  { name: db1, data: db1, primary: true } ]\n',
    'nodes: [\n  { name: db1, data: db1, primary: true },\n  { name: db3, port: 5434, data: ./data/db3 } ]\n',
  ],
  [
    'as JSON where the file is',
    'nodes: [{"name": "db1", "data": "db1", "primary": true}]\n',
    'nodes: [{"name": "db1", "data": "db1", "primary": true}, { "name": "db3", "port": 5434, "data": "./data/db3" }]\n',
  ],
  [
    'before a comment that belongs to what follows',
    'nodes:\n- name: db1\n  data: db1\n  primary: true\n# who\nallow: []\n',
    'nodes:\n- name: db1\n  data: db1\n  primary: true\n- name: db3\n  port: 5434\n  data: ./data/db3\n# who\nallow: []\n',
  ],
])('a node is added %s', (_where, before, after) => {
  expect(added(before)).toBe(after)
})

test('a file with a byte order mark keeps it', () => {
  const text = '\uFEFFcluster: shop\npostgres: { version: 18 }\nnodes:\n  - { name: db1, data: db1, primary: true }\n'
  expect(withNode(text, db3)).toBe(`${text}  - { name: db3, port: 5434, data: ./data/db3 }\n`)
})

test('words that YAML would take for something else are put into quotes', () => {
  const node = { name: 'true', port: 5434, data: './a: b, c #d' }
  for (const nodes of ['nodes:\n  - name: db1\n    data: db1\n', 'nodes: [{ name: db1, data: db1 }]\n']) {
    const { cluster } = loadCluster(withNode(head + nodes, node) ?? '', '/shop/maestra.yaml')
    expect(cluster?.nodes[1]).toMatchObject({ name: 'true', data: '/shop/a: b, c #d' })
  }
})

test('a list that stands elsewhere is left to a person, who is told what to add', () => {
  expect(withNode(`${head}x: &all\n  - { name: db1 }\nnodes: *all\n`, db3)).toBeUndefined()
  expect(nodeText(db3)).toBe('- { name: db3, port: 5434, data: ./data/db3 }')
})
