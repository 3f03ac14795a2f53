import { expect, test } from 'vitest'
import { runRules } from '../doctor/run-rules.js'
import { initialCluster, initialClusterText } from './initial-cluster-text.js'
import { loadCluster } from './load-cluster.js'

function load(text: string) {
  const { cluster, findings, locate } = loadCluster(text, '/shop/maestra.yaml')
  expect([...findings, ...runRules({ declared: cluster, locate })]).toEqual([])
  return cluster
}

test('a new cluster file loads without findings, its ports count up, and its data stand side by side', () => {
  const nodes = (replicas: number) =>
    load(initialClusterText({ ...initialCluster, replicas }))?.nodes.map(
      ({ name, host, port, data, startsAs }) => `${name} ${host}:${port} ${data} ${startsAs}`,
    )
  expect(nodes(0)).toEqual(['db1 127.0.0.1:5432 /shop/data/db1 primary'])
  expect(nodes(2)).toEqual([
    'db1 127.0.0.1:5432 /shop/data/db1 primary',
    'db2 127.0.0.1:5433 /shop/data/db2 standby',
    'db3 127.0.0.1:5434 /shop/data/db3 standby',
  ])
})

test('what is commented out in it would load as well', () => {
  const text = initialClusterText(initialCluster).replace(/^( *)# (( {2})?(- )?[a-z_]+:.*| {2}- .*)$/gm, '$1$2')
  const cluster = load(text)
  expect(cluster).toMatchObject({
    postgres: { bin: '/usr/lib/postgresql/18/bin' },
    replication: { role: 'replicator', authentication: 'scram-sha-256' },
    allow: ['10.0.0.0/8'],
    passfile: '/shop/maestra.pgpass',
  })
  expect(cluster?.nodes[0]).toMatchObject({
    host: '127.0.0.1',
    parameters: { work_mem: '8MB', shared_buffers: '256MB' },
  })
})

test('a directory of data may be anywhere', () => {
  const data = (directory: string) => load(initialClusterText({ ...initialCluster, data: directory }))?.nodes[1]?.data
  expect([data('/srv/a: b #c/'), data('/'), data('..'), data("it's")]).toEqual([
    '/srv/a: b #c/db2',
    '/db2',
    '/db2',
    "/shop/it's/db2",
  ])
})

test.each([
  ['cluster', 'Shop'],
  ['cluster', 'a\nnodes: []'],
  ['cluster', ''],
  ['pg', '18.4'],
  ['pg', 'newest'],
  ['pg', '9'],
  ['port', 'a'],
  ['port', '65535'],
  ['data', ''],
  ['data', '~/data'],
  ['data', 'a\u0007'],
] as const)('a wrong %s such as %j is told by loading it', (key, value) => {
  const { cluster, findings } = loadCluster(
    initialClusterText({ ...initialCluster, [key]: value }),
    '/shop/maestra.yaml',
  )
  expect(cluster).toBeUndefined()
  expect(findings.length).toBeGreaterThan(0)
})

test('it is the file that the documentation shows', () => {
  expect(initialClusterText(initialCluster)).toMatchSnapshot()
})
