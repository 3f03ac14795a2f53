import { expect, test } from 'vitest'
import { loadCluster } from './load-cluster.js'
import { commentAbove, withoutNode } from './without-node.js'

const head = 'cluster: shop\npostgres: { version: 18 }\n'

function removed(nodes: string, name = 'db2'): string {
  const text = withoutNode(head + nodes, name) ?? ''
  const { cluster, findings } = loadCluster(text, '/shop/maestra.yaml')
  expect(findings).toEqual([])
  expect(cluster?.nodes.map((node) => node.name)).not.toContain(name)
  return text.slice(head.length)
}

test.each([
  [
    'with the comments in it, and without the blank line before it',
    'nodes:\n  # The servers.\n  - name: db1 # one\n    data: db1\n\n  - name: db2\n    data: db2 # in the cellar\n    # port: 7\n\n  - name: db3\n    data: db3\n',
    'nodes:\n  # The servers.\n  - name: db1 # one\n    data: db1\n\n  - name: db3\n    data: db3\n',
  ],
  [
    'and the comments around it stay',
    'nodes:\n  - { name: db1, data: db1 }\n  # two\n  - { name: db2, data: db2 } # its own\n  # three\n  - { name: db3, data: db3 }\n',
    'nodes:\n  - { name: db1, data: db1 }\n  # two\n  # three\n  - { name: db3, data: db3 }\n',
  ],
  [
    'from the end of the list',
    'nodes:\n- name: db1\n  data: db1\n\n- name: db2\n  data: |-\n    db2\n\n# who\nallow: []\n',
    'nodes:\n- name: db1\n  data: db1\n\n# who\nallow: []\n',
  ],
  [
    'from the end of the file',
    'nodes:\n  - name: db1\n    data: db1\n  - name: db2\n    data: db2',
    'nodes:\n  - name: db1\n    data: db1\n',
  ],
  [
    'with its line ends',
    'nodes:\r\n  - name: db1\r\n    data: db1\r\n  - name: db2\r\n    data: db2\r\nallow: []\r\n',
    'nodes:\r\n  - name: db1\r\n    data: db1\r\nallow: []\r\n',
  ],
  [
    'from the beginning',
    'nodes:\n  - name: db2\n    data: db2\n  - name: db1\n    data: db1\n',
    'nodes:\n  - name: db1\n    data: db1\n',
  ],
  [
    'from brackets',
    'nodes: [{ name: db1, data: db1 }, { name: db2, data: db2 }, { name: db3, data: db3 }]\n',
    'nodes: [{ name: db1, data: db1 }, { name: db3, data: db3 }]\n',
  ],
  [
    'from the end of brackets',
    'nodes: [{ name: db1, data: db1 }, { name: db2, data: db2 }]\n',
    'nodes: [{ name: db1, data: db1 }]\n',
  ],
  [
    'from the end of brackets with a comma',
    'nodes: [{ name: db1, data: db1 }, { name: db2, data: db2 }, ]\n',
    'nodes: [{ name: db1, data: db1 }, ]\n',
  ],
  [
    'from brackets with a line for each',
    'nodes: [\n  { name: db1, data: db1 }, # one\n  { name: db2, data: db2 }, # two\n  { name: db3, data: db3 } # three\n]\n',
    'nodes: [\n  { name: db1, data: db1 }, # one\n  { name: db3, data: db3 } # three\n]\n',
  ],
  [
    'from the last line of brackets',
    'nodes: [\n  { name: db1, data: db1 }, # one\n  { name: db2, data: db2 } ]\n',
    'nodes: [\n  { name: db1, data: db1 }, # one\n   ]\n',
  ],
])('a node is taken out %s', (_where, before, after) => {
  expect(removed(before)).toBe(after)
})

test('a node that is not there, or not written out, is left to a person', () => {
  expect(withoutNode(`${head}nodes:\n  - { name: db1, data: db1 }\n`, 'db2')).toBeUndefined()
  expect(withoutNode(`${head}x: &two { name: db2 }\nnodes:\n  - *two\n`, 'db2')).toBeUndefined()
})

test('the comment above a node is found by its line', () => {
  const text = `${head}nodes:\n  - { name: db1, data: db1 }\n  # two\n  - { name: db2, data: db2 }\n`
  expect(commentAbove(text, 'db2')).toBe(5)
  expect(commentAbove(text, 'db1')).toBeUndefined()
})
