import { expect, test } from 'vitest'
import { type Keys, said } from '../said.fixture.js'
import { replicationTimeouts } from './replication-timeouts.js'

test.each<Keys>([
  {},
  { all: 'wal_sender_timeout: 5s, wal_receiver_timeout: 1' },
  { all: 'wal_sender_timeout: none, statement_timeout: 0' },
])('finds nothing wrong with %j', (keys) => {
  expect(said(replicationTimeouts, keys)).toStrictEqual([])
})

test.each([
  ['wal_sender_timeout: 0', '`wal_sender_timeout` is 0: a primary never notices that a standby is gone'],
  ['wal_receiver_timeout: 0ms', '`wal_receiver_timeout` is 0: a standby never notices that its primary is gone'],
])('warns of { %s }', (parameter, message) => {
  expect(said(replicationTimeouts, { db2: `parameters: { ${parameter} }` })).toStrictEqual([`6 warning: ${message}`])
})

test('says nothing without a declaration', () => {
  expect(replicationTimeouts.check({ declared: undefined })).toStrictEqual([])
})
