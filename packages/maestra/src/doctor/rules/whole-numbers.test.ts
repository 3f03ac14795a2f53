import { expect, test } from 'vitest'
import { loadCluster } from '../../cluster/load-cluster.js'
import { wholeNumbers } from './whole-numbers.js'

function said(parameters: string): string[] {
  const text = `cluster: shop\npostgres: { version: 18 }\nnodes: [{ name: db1, data: db1 }]\nparameters: { ${parameters} }\n`
  const { cluster, locate } = loadCluster(text, '/srv/maestra.yaml')
  return wholeNumbers.check({ declared: cluster, locate }).map(({ message, place }) => `${place?.line}: ${message}`)
}

test.each(['', 'max_connections: 100', 'max_connections: "100"', 'max_connections: 0x64', 'work_mem: much'])(
  'finds nothing wrong with { %s }',
  (parameters) => {
    expect(said(parameters)).toStrictEqual([])
  },
)

test.each([
  ['max_connections: many', '4: `max_connections` must be a whole number, not "many"'],
  ['max_connections: ""', '4: `max_connections` must be a whole number, not ""'],
  ['max_wal_senders: 10MB', '4: `max_wal_senders` must be a whole number, not "10MB"'],
  ['max_replication_slots: true', '4: `max_replication_slots` must be a whole number, not "on"'],
])('refuses { %s }', (parameters, message) => {
  expect(said(parameters)).toStrictEqual([message])
})

test('says nothing without a declaration', () => {
  expect(wholeNumbers.check({ declared: undefined })).toStrictEqual([])
})
