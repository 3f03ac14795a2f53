import { expect, test } from 'vitest'
import { slotWalKeepBytes } from './slot-wal-keep-size.js'

const gigabyte = 1024 ** 3

test.each([
  ['is 16 GB unless declared', {}, 16 * gigabyte],
  ['is what is declared', { max_slot_wal_keep_size: '2GB' }, 2 * gigabyte],
  ['counts in MB without a unit', { max_slot_wal_keep_size: '1024' }, gigabyte],
  ['is no less than wal_keep_size', { max_slot_wal_keep_size: '1GB', wal_keep_size: '3GB' }, 3 * gigabyte],
  ['is none where the file says so', { max_slot_wal_keep_size: '-1' }, undefined],
  ['cannot be told of what is no size', { max_slot_wal_keep_size: 'much' }, undefined],
])('what a slot keeps %s', (_, parameters, bytes) => {
  const node = {
    name: 'db1',
    host: '127.0.0.1',
    port: 5432,
    data: '/srv/db1',
    startsAs: 'primary',
    parameters,
  } as const
  expect(slotWalKeepBytes(node)).toBe(bytes)
})
