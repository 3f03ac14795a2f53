import { expect, test } from 'vitest'
import { type Keys, said } from '../said.fixture.js'
import { slotLimits } from './slot-limits.js'

test.each<Keys>([
  {},
  { all: 'max_slot_wal_keep_size: -1, idle_replication_slot_timeout: 0' },
  { all: 'max_slot_wal_keep_size: 16MB' },
  { all: 'max_slot_wal_keep_size: 10GB' },
  { all: 'max_slot_wal_keep_size: 0, wal_keep_size: 1GB' },
  { all: 'max_slot_wal_keep_size: much' },
])('finds nothing wrong with %j', (keys) => {
  expect(said(slotLimits, keys)).toStrictEqual([])
})

test.each([
  ['max_slot_wal_keep_size: 0', 0],
  ['max_slot_wal_keep_size: 15', 15],
  ['max_slot_wal_keep_size: 8MB, wal_keep_size: 1MB', 8],
])('warns of a slot that keeps nothing: { %s }', (parameters, most) => {
  expect(said(slotLimits, { db1: `parameters: { ${parameters} }` })).toStrictEqual([
    `5 warning: \`max_slot_wal_keep_size\` is ${most} MB, less than one segment of WAL: a slot keeps nothing`,
  ])
})

test('warns of a slot that ends while its standby is away', () => {
  expect(said(slotLimits, { db1: 'parameters: { idle_replication_slot_timeout: 2d }' })).toStrictEqual([
    '5 warning: `idle_replication_slot_timeout` is 2d: a standby that is away for longer loses its slot',
  ])
})

test('says nothing without a declaration', () => {
  expect(slotLimits.check({ declared: undefined })).toStrictEqual([])
})
