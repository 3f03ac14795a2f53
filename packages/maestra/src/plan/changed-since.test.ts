import { expect, test } from 'vitest'
import { changedSince } from './changed-since.js'
import { harmless } from './draft.js'
import { fingerprintOf, type Systems } from './fingerprint.js'
import type { Plan } from './plan.js'
import type { Step } from './step.js'

const start = (node: string): Step => ({ kind: 'start', node, why: 'it is stopped', ...harmless })
const write: Step = {
  kind: 'write-configuration',
  node: 'db1',
  why: 'its files differ',
  differences: [{ place: { host: 'h', file: '/srv/db1/maestra.conf', line: 3 }, what: 'a', from: '1', to: '2' }],
  ...harmless,
}

function plan(steps: readonly Step[], systems: Systems = {}): Plan {
  return {
    cluster: 'shop',
    steps,
    refusals: [],
    unknowns: [],
    findings: [],
    fingerprint: fingerprintOf(steps, systems),
  }
}

test('says nothing of the same steps, whatever their reasons', () => {
  expect(changedSince(plan([start('db1')]), plan([{ ...start('db1'), why: 'it crashed' }]))).toBeUndefined()
  expect(changedSince(plan([]), plan([]))).toBeUndefined()
})

test('names the steps that are new, with what they would change, and those that are gone', () => {
  expect(changedSince(plan([start('db1'), start('db2')]), plan([start('db1'), write]))).toBe(
    'steps that are new: db1: write its configuration (h:/srv/db1/maestra.conf:3 a 1 -> 2); steps that are gone: db2: start its server',
  )
  expect(changedSince(plan([write]), plan([start('db1')]))).toBe(
    'steps that are new: db1: start its server; steps that are gone: db1: write its configuration',
  )
  expect(changedSince(plan([start('db1'), start('db1')]), plan([start('db1')]))).toBe(
    'steps that are gone: db1: start its server',
  )
})

test('tells another order, and another system, of the same steps', () => {
  const both = [start('db1'), start('db2')]
  expect(changedSince(plan(both), plan(both.toReversed()))).toBe('the same steps in another order')
  expect(changedSince(plan(both, { db1: '1' }), plan(both, { db1: '2' }))).toBe(
    'a data directory holds another system now',
  )
})

test('tells what is refused or unknown by now', () => {
  const refusal = { node: 'db1', message: 'db1: in the way', hint: undefined }
  expect(changedSince(plan([]), { ...plan([]), refusals: [refusal] })).toBe('now refused: db1: in the way')
  expect(changedSince(plan([]), { ...plan([]), unknowns: [refusal] })).toBe('now unknown: db1: in the way')
})
