import { expect, test } from 'vitest'
import { loadCluster } from '../../cluster/load-cluster.js'
import { addedView, createdView, removedView } from './edit-view.js'

const { cluster } = loadCluster(
  'cluster: shop\npostgres: { version: 18 }\nnodes: [{ name: db1, data: db1, primary: true }, { name: db2, port: 5433, data: db2 }]\n',
  '/shop/maestra.yaml',
)
const node = cluster?.nodes[1]
if (cluster === undefined || node === undefined) throw new Error('the cluster file of this test is wrong')
const common = {
  upstream: 'db1',
  node,
  process: { kind: 'none' },
  hasData: true,
  comment: undefined,
  file: undefined,
} as const

test('each view ends with the next command, which names the file that was named', () => {
  expect(createdView(cluster, undefined)).toBe(
    '/shop/maestra.yaml declares cluster shop: a primary and 1 replica\nNext: npx maestra plan\n',
  )
  expect(addedView(cluster, 'db2', 'a/b.yaml')).toBe(
    'db2 was added to /shop/maestra.yaml: 127.0.0.1:5433, data in /shop/db2\nNext: npx maestra plan --file a/b.yaml\n',
  )
  expect(createdView(cluster, "it's mine.yaml")).toContain(`Next: npx maestra plan --file 'it'\\''s mine.yaml'\n`)
})

test('what stays of a removed node is said, and how its server is stopped', () => {
  const running = { kind: 'running', pid: 42, status: 'ready', port: 5433 } as const
  expect(removedView(cluster, { ...common, process: running, comment: 7 })).toBe(
    [
      'db2 was taken out of /shop/maestra.yaml',
      'its data stay in /shop/db2',
      'its server still runs; stop it before the next apply (kill -INT 42)',
      'the comment above it stays: /shop/maestra.yaml:7',
      'the next apply drops its replication slot on db1',
      'Next: npx maestra plan',
      '',
    ].join('\n'),
  )
  expect(removedView(cluster, { ...common, hasData: false })).toBe(
    'db2 was taken out of /shop/maestra.yaml\nthe next apply drops its replication slot on db1, if it has one\nNext: npx maestra plan\n',
  )
  expect(removedView(cluster, { ...common, process: { kind: 'unknown', because: 'EIO' } })).toContain(
    'whether its server runs is unknown; stop it before the next apply\n',
  )
})
