import { expect, test } from 'vitest'
import { type Keys, said } from '../said.fixture.js'
import { recoveryTargets } from './recovery-targets.js'

test.each<Keys>([
  {},
  { all: "recovery_target_timeline: latest, recovery_target_xid: '', recovery_target_action: promote" },
  { db1: 'parameters: { recovery_target: immediate, recovery_target_timeline: current }' },
])('finds nothing wrong with %j', (keys) => {
  expect(said(recoveryTargets, keys)).toStrictEqual([])
})

test.each([
  ['recovery_target: immediate', '`recovery_target` ends the replay of standby db2: it follows no further'],
  ['recovery_target_xid: 7', '`recovery_target_xid` ends the replay of standby db2: it follows no further'],
  [
    'recovery_target_timeline: current',
    '`recovery_target_timeline` is current: standby db2 does not follow a primary that was promoted',
  ],
])('warns of a standby with { %s }', (parameter, message) => {
  expect(said(recoveryTargets, { db2: `parameters: { ${parameter} }` })).toStrictEqual([`6 warning: ${message}`])
})

test('refuses two targets on any node', () => {
  expect(
    said(recoveryTargets, { db1: 'parameters: { recovery_target_xid: 7, recovery_target_name: x }' }),
  ).toStrictEqual([
    '5 error: `recovery_target_xid` is a second recovery target beside `recovery_target_name`: PostgreSQL does not start',
  ])
})

test('says nothing without a declaration', () => {
  expect(recoveryTargets.check({ declared: undefined })).toStrictEqual([])
})
