import { expect, test } from 'vitest'
import { type Keys, said } from '../said.fixture.js'
import { settingsOfMajor } from './settings-of-major.js'

test.each<Keys>([
  {},
  { version: 18, all: 'io_method: worker, work_mem: 4MB, pg_stat_statements.max: 1000, no_such_setting: 1' },
  { version: 15, all: "promote_trigger_file: '/tmp/x', archive_library: basic_archive" },
  { version: 16, all: 'scram_iterations: 8192, old_snapshot_threshold: -1' },
  { version: 19, all: 'idle_replication_slot_timeout: 1h' },
])('finds nothing wrong with %j', (keys) => {
  expect(said(settingsOfMajor, keys)).toStrictEqual([])
})

test.each([
  [17, 'idle_replication_slot_timeout: 1h', '`idle_replication_slot_timeout`: it came with 18'],
  [14, 'archive_library: basic_archive', '`archive_library`: it came with 15'],
  [16, "promote_trigger_file: '/tmp/x'", '`promote_trigger_file`: it went with 16'],
  [19, 'old_snapshot_threshold: 1h', '`old_snapshot_threshold`: it went with 17'],
  [18, 'wal_keep_segments: 64', '`wal_keep_segments`: it went with 14'],
])('refuses in %i { %s }', (version, parameter, message) => {
  expect(said(settingsOfMajor, { version, db2: `parameters: { ${parameter} }` })).toStrictEqual([
    `6 error: PostgreSQL ${version} has no ${message}`,
  ])
})

test('says nothing without a declaration', () => {
  expect(settingsOfMajor.check({ declared: undefined })).toStrictEqual([])
})
