import { expect, test } from 'vitest'
import { harmless } from './draft.js'
import { fingerprintOf } from './fingerprint.js'
import type { Step } from './step.js'

const start: Step = { kind: 'start', node: 'db1', why: 'it is stopped', ...harmless }
const reload: Step = { kind: 'reload', node: 'db1', why: 'its files changed', ...harmless }

test('is equal for the same deeds, whatever their reasons and the order of their keys', () => {
  const told: Step = { ...harmless, why: 'it crashed at 0/3000000', node: 'db1', kind: 'start' }
  expect(fingerprintOf([told])).toBe(fingerprintOf([start]))
})

test('differs with the node, the kind, the order, the number and what is written', () => {
  const write = (difference: string): Step => ({
    kind: 'write-configuration',
    node: 'db1',
    differences: [{ place: { host: 'h', file: '/f' }, from: difference }],
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
  expect(new Set(all.map(fingerprintOf)).size).toBe(all.length)
})
