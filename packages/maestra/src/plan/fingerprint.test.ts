import { expect, test } from 'vitest'
import { loadCluster } from '../cluster/load-cluster.js'
import { harmless } from './draft.js'
import { declarationHash, fingerprintOf } from './fingerprint.js'
import type { Step } from './step.js'

const start: Step = { kind: 'start', node: 'db1', why: 'it is stopped', ...harmless }
const reload: Step = { kind: 'reload', node: 'db1', why: 'its files changed', ...harmless }

test('is equal for the same deeds, whatever their reasons and the order of their keys', () => {
  const told: Step = { ...harmless, why: 'it crashed at 0/3000000', node: 'db1', kind: 'start' }
  expect(fingerprintOf([told], { db1: '1', db2: '1' })).toBe(fingerprintOf([start], { db2: '1', db1: '1' }))
})

test('differs with the node, the kind, the order, the number and what is written', () => {
  const write = (from: string): Step => ({
    kind: 'write-configuration',
    node: 'db1',
    differences: [{ place: { host: 'h', file: '/f' }, from }],
    why: '',
    ...harmless,
  })
  const all = [
    [],
    [start],
    [{ ...start, node: 'db2' }],
    [reload],
    [start, reload],
    [reload, start],
    [write('a')],
    [write('b')],
  ]
  expect(new Set(all.map((steps) => fingerprintOf(steps, {}))).size).toBe(all.length)
})

test('differs with the systems that the steps work on', () => {
  const all = [{}, { db1: '1' }, { db1: '2' }, { db2: '1' }]
  expect(new Set(all.map((systems) => fingerprintOf([start], systems))).size).toBe(all.length)
})

test('a cluster file is the same wherever it stands and however it is written, and another with each word', () => {
  const hash = (text: string, file = '/shop/maestra.yaml') => {
    const { cluster } = loadCluster(text, file)
    if (cluster === undefined) throw new Error('the cluster file of this test is wrong')
    return declarationHash(cluster)
  }
  const text = `cluster: shop\npostgres: { version: 18 }\nnodes: [{ name: db1, data: /srv/db1, primary: true }]\n`
  const written = `# ours\nnodes:\n  - primary: true\n    data: /srv/db1\n    name: db1\npostgres:\n  version: 18\ncluster: shop\n`
  expect(hash(written, '/shop/other.yaml')).toBe(hash(text))
  for (const [before, after] of [
    ['/srv/db1', '/srv/db9'],
    ['18', '17'],
    ['name: db1', 'name: db9'],
    ['primary: true', 'primary: true, port: 5499'],
    ['primary: true', 'primary: true, parameters: { work_mem: 8MB }'],
  ] as const) {
    expect(hash(text.replace(before, after))).not.toBe(hash(text))
  }
})
