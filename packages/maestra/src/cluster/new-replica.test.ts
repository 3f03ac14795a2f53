import { expect, test } from 'vitest'
import { loadCluster } from './load-cluster.js'
import { newReplica } from './new-replica.js'

function replicaOf(nodes: string, options = {}) {
  const text = `cluster: shop\npostgres: { version: 18 }\nnodes:\n${nodes}`
  const { cluster } = loadCluster(text, '/shop/maestra.yaml')
  if (cluster === undefined) throw new Error(text)
  return newReplica(cluster, text, 'db3', options)
}

test('a replica comes on the port after the highest on its host, its data beside those of the last node', () => {
  const nodes = `  - { name: db1, port: 5500, data: ./data/db1, primary: true }\n  - { name: db2, port: 5441, data: ./data/db2 }\n`
  expect(replicaOf(nodes)).toEqual({ name: 'db3', port: 5501, data: './data/db3' })
  expect(replicaOf(nodes, { host: '10.0.0.9' })).toEqual({
    name: 'db3',
    host: '10.0.0.9',
    port: 5432,
    data: './data/db3',
  })
  expect(replicaOf(nodes, { port: 6000, data: '/x' })).toEqual({ name: 'db3', port: 6000, data: '/x' })
  expect(replicaOf(nodes, { follows: 'db2' })).toMatchObject({ name: 'db3', port: 5501, follows: 'db2' })
})

test('a replica comes where its primary is', () => {
  const nodes = `  - { name: db1, host: 10.0.0.1, data: db1, primary: true }\n  - { name: db2, port: 7000, data: db2 }\n`
  expect(replicaOf(nodes)).toEqual({ name: 'db3', host: '10.0.0.1', port: 5433, data: 'db3' })
})

test.each([
  ['./data/db2', './data/db3'],
  ['db2', 'db3'],
  ['/srv/db2/18/main', '/srv/db3/18/main'],
  ['/srv/db2/', '/srv/db3'],
  ['/var/lib/postgresql/18/main', '/var/lib/postgresql/18/db3'],
])('data beside %s are %s', (data, expected) => {
  const nodes = `  - { name: db1, data: /db1, primary: true }\n  - { name: db2, port: 7000, data: ${data} }\n`
  expect(replicaOf(nodes).data).toBe(expected)
})
