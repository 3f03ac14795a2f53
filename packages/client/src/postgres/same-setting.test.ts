import { expect, test } from 'vitest'
import { isSameSetting } from './same-setting.js'

test.each([
  ['wal_level', 'hot_standby', 'replica', true],
  ['Wal_Level', 'HOT_STANDBY', 'archive', true],
  ['wal_level', 'hot_standby', 'logical', false],
  ['wal_level', 'hot_standby', undefined, false],
  ['wal_level', undefined, undefined, true],
  ['work_mem', '4MB', '4MB', true],
  ['work_mem', 'archive', 'replica', false],
  ['wal_level', 'constructor', 'replica', false],
  ['constructor', 'name', 'length', false],
])('%s: %s and %s are the same: %s', (name, one, other, same) => {
  expect(isSameSetting(name, one, other)).toBe(same)
})
