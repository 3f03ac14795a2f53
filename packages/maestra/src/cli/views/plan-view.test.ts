import { describe, expect, test } from 'vitest'
import { harmless } from '../../plan/draft.js'
import type { Plan } from '../../plan/plan.js'
import type { Step } from '../../plan/step.js'
import { stepTitle } from '../../plan/step-title.js'
import { plain } from '../terminal.js'
import { coloured } from './coloured.fixture.js'
import { planJson } from './plan-json.js'
import { counted, planView } from './plan-view.js'
import { stripColours } from './table.js'

const steps: readonly Step[] = [
  { kind: 'write-passfile', why: 'w', ...harmless },
  { kind: 'initialise', node: 'db1', why: 'w', ...harmless },
  { kind: 'write-configuration', node: 'db1', differences: [], why: 'w', ...harmless },
  { kind: 'reload', node: 'db1', why: 'w', ...harmless },
  { kind: 'start', node: 'db1', why: 'w', ...harmless },
  { kind: 'create-replication-role', node: 'db1', role: 'replicator', why: 'w', ...harmless },
  { kind: 'create-slot', node: 'db1', slot: 'db_2', standby: 'db-2', why: 'w', ...harmless },
  { kind: 'copy-primary', node: 'db-2', from: 'db1', why: 'w', ...harmless },
  { kind: 'await-streaming', node: 'db-2', from: 'db1', why: 'w', ...harmless },
]
const none: Plan = { cluster: 'shop', steps: [], refusals: [], unknowns: [], findings: [], fingerprint: 'f00' }

test('titles every kind of step by what it does and where', () => {
  expect(steps.map(stepTitle)).toEqual([
    'complete the passfile',
    'db1: initialise a new primary',
    'db1: write its configuration',
    'db1: reload its configuration',
    'db1: start its server',
    'db1: create the replication role replicator',
    'db1: create the replication slot db_2',
    'db-2: copy db1 (base backup)',
    'db-2: wait until it streams from db1',
  ])
})

describe('a plan is printed', () => {
  const changes = {
    ...none,
    steps: [
      { kind: 'start', node: 'db1', why: 'it is stopped', disruptive: true, destructive: true },
      { kind: 'reload', node: 'db1', why: 'its files changed', ...harmless },
    ],
  } as const

  test('with nothing to do', () => {
    expect(planView(none, plain)).toBe('cluster shop: nothing to do\n')
  })

  test('with its steps, the reason of each, and what it costs', () => {
    expect(planView(changes, plain)).toBe(
      'cluster shop: 2 steps\n\n' +
        '   1. db1: start its server [interrupts connections] [replaces data]\n      it is stopped\n' +
        '   2. db1: reload its configuration\n      its files changed\n',
    )
  })

  test('with one line for each difference of a file', () => {
    const place = { host: '127.0.0.1', file: '/srv/db1/maestra.conf', line: 14 }
    const write: Step = {
      kind: 'write-configuration',
      node: 'db1',
      why: 'its files differ',
      differences: [
        { place, what: 'work_mem', from: '4MB', to: '16MB' },
        { place: { host: '::1', file: '/srv/db1/pg_hba.conf' }, to: 'host all all all trust' },
      ],
      ...harmless,
    }
    expect(planView({ ...none, steps: [write] }, plain)).toBe(
      'cluster shop: 1 step\n\n' +
        '   1. db1: write its configuration\n      its files differ:\n' +
        '        127.0.0.1:/srv/db1/maestra.conf:14 work_mem 4MB -> 16MB\n' +
        '        [::1]:/srv/db1/pg_hba.conf (not there) -> host all all all trust\n',
    )
    expect(stripColours(planView({ ...none, steps: [write] }, coloured))).toBe(
      planView({ ...none, steps: [write] }, plain),
    )
  })

  test('with all that is refused or unknown, and its hints', () => {
    const refused = {
      ...none,
      refusals: [{ node: 'db1', message: 'db1: in the way', hint: 'mv a b' }],
      unknowns: [{ node: 'db2', message: 'db2: silent', hint: undefined }],
    }
    expect(planView(refused, plain)).toBe(
      'cluster shop: nothing is changed\n\n  refused  db1: in the way\n  Try: mv a b\n  unknown  db2: silent\n',
    )
  })

  test('after the warnings of the cluster file', () => {
    const finding = {
      rule: 'r',
      severity: 'warning',
      message: 'few senders',
      hint: undefined,
      place: undefined,
    } as const
    expect(planView({ ...none, findings: [finding] }, plain)).toBe(
      'Warning: few senders\ncluster shop: nothing to do\n',
    )
  })

  test('in colours that change no letter', () => {
    expect(planView(changes, coloured)).toContain('\u001b[33m')
    expect(stripColours(planView(changes, coloured))).toBe(planView(changes, plain))
  })

  test('as JSON with the documented keys in their order', () => {
    const text = planJson(changes)
    expect(text.endsWith('}\n')).toBe(true)
    expect(Object.keys(JSON.parse(text))).toEqual(
      'cluster outcome steps refusals unknowns findings fingerprint'.split(' '),
    )
    expect(JSON.parse(text)).toMatchObject({ outcome: 'changes', steps: [{ kind: 'start', why: 'it is stopped' }, {}] })
  })

  test.each([
    ['nothing', none],
    ['refused', { ...none, refusals: [{ node: 'a', message: 'm', hint: undefined }], unknowns: [] }],
    ['incomplete', { ...none, unknowns: [{ node: 'a', message: 'm', hint: undefined }] }],
  ])('as JSON with the outcome %s', (outcome, plan) => {
    expect(JSON.parse(planJson(plan)).outcome).toBe(outcome)
  })
})

test('counts in the singular and the plural', () => {
  expect([0, 1, 2].map((count) => counted(count, 'step'))).toEqual(['0 steps', '1 step', '2 steps'])
})
