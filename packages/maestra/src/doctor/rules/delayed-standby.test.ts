import { expect, test } from 'vitest'
import { type Keys, said } from '../said.fixture.js'
import { delayedStandby } from './delayed-standby.js'

const waits = "synchronous_commit: remote_apply, synchronous_standby_names: 'ANY 1 (db2, db3)'"
const delayed = (more = '') => `parameters: { recovery_min_apply_delay: 1h, ${more} }`

test.each<Keys>([
  {},
  { db2: delayed() },
  { db1: delayed('hot_standby_feedback: on') },
  { all: 'hot_standby_feedback: on', db2: 'parameters: { recovery_min_apply_delay: 0 }' },
  { db1: `parameters: { ${waits} }`, db2: delayed('synchronous_commit: remote_apply').replace('1h', '0') },
  { db1: "parameters: { synchronous_commit: remote_apply, synchronous_standby_names: 'db3' }", db2: delayed() },
  { db1: "parameters: { synchronous_commit: on, synchronous_standby_names: 'db2' }", db2: delayed() },
])('finds nothing wrong with %j', (keys) => {
  expect(said(delayedStandby, keys)).toStrictEqual([])
})

test('warns when commits wait until it has replayed', () => {
  expect(said(delayedStandby, { all: waits, db2: delayed() })).toStrictEqual([
    '6 warning: `recovery_min_apply_delay` of db2 is 1h, and commits wait until it has replayed: each may take that long',
  ])
})

test('warns when it holds back the vacuum of its primary', () => {
  expect(said(delayedStandby, { db3: delayed('hot_standby_feedback: yes') })).toStrictEqual([
    '7 warning: `recovery_min_apply_delay` of db3 is 1h, and `hot_standby_feedback` is on: the primary keeps dead rows for that time',
  ])
})

test('says nothing without a declaration', () => {
  expect(delayedStandby.check({ declared: undefined })).toStrictEqual([])
})
