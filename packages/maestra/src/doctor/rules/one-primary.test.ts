import { expect, test } from 'vitest'
import { loadCluster } from '../../cluster/load-cluster.js'
import { onePrimary } from './one-primary.js'

function said(...nodes: readonly string[]): string[] {
  const text = `cluster: shop\npostgres: { version: 18 }\nnodes:\n${nodes.map((node) => `  - ${node}\n`).join('')}`
  const { cluster, locate, findings } = loadCluster(text, '/srv/maestra.yaml')
  expect(findings).toStrictEqual([])
  return onePrimary.check({ declared: cluster, locate }).map(({ rule, message, place }) => {
    return `${place?.line}:${place?.column} ${rule}: ${message}`
  })
}

test('finds nothing wrong with one primary', () => {
  expect(said('{ name: db1, data: db1 }', '{ name: db2, data: db2, primary: true }')).toStrictEqual([])
})

test('finds that no node is the primary', () => {
  expect(said('{ name: db1, data: db1 }', '{ name: db2, data: db2, primary: false }')).toStrictEqual([
    '3:1 one-primary: no node is the primary',
  ])
})

test('finds each primary beyond the first', () => {
  const node = (name: string) => `{ name: ${name}, data: ${name}, primary: true }`
  expect(said(node('db1'), node('db2'), node('db3'))).toStrictEqual([
    '5:38 one-primary: node db2 is a second primary; db1 is the first',
    '6:38 one-primary: node db3 is a second primary; db1 is the first',
  ])
})

test('says nothing without a declaration', () => {
  expect(onePrimary.check({ declared: undefined })).toStrictEqual([])
})
