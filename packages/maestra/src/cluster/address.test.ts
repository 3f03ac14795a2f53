import { hbaAddress } from '@maestra/client/postgres/hba'
import { describe, expect, test } from 'vitest'
import { isClientAddress, isReachableAddress } from './address.js'

describe('an address at which a node can be reached', () => {
  test.each([
    '127.0.0.1',
    '10.0.0.1',
    '::1',
    '2001:db8::7',
    'localhost',
    'db1',
    'db-1.example.com',
    'db_1',
    'DB1',
    '1db',
  ])('may be %s', (text) => {
    expect(isReachableAddress(text)).toBe(true)
  })

  test.each([
    '',
    '*',
    '0.0.0.0',
    '::',
    '0::0',
    '[::1]',
    '10.0.0',
    '10.0.0.256',
    '10.0.0.0/8',
    'db1:5432',
    'a b',
    '-db',
    'db.',
    '.db',
  ])('is not %j', (text) => {
    expect(isReachableAddress(text)).toBe(false)
  })

  test.each(['fe80::1%eth0', '/run/postgresql', 'a'.repeat(64), `${'a.'.repeat(127)}a`, 'ü', 'a..b', 'a,b', '"a"'])(
    'is not %j either',
    (text) => {
      expect(isReachableAddress(text)).toBe(false)
    },
  )
})

describe('an address of clients', () => {
  const good = [
    '10.0.0.0/8',
    '10.0.0.7/8',
    '0.0.0.0/0',
    '::/0',
    '2001:db8::/32',
    '::1',
    '10.0.0.1',
    '.example.com',
    'app',
  ]

  test.each(good)('may be %s', (text) => {
    expect(isClientAddress(text)).toBe(true)
  })

  test.each(good)('that is accepted can be written to pg_hba.conf: %s', (text) => {
    expect(hbaAddress(text)).not.toStrictEqual([])
  })

  test.each([
    '',
    'all',
    'ALL',
    'samehost',
    'samenet',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0/8',
    '::/129',
    'app/24',
    '10.0.0.0/8/8',
  ])('is not %j', (text) => {
    expect(isClientAddress(text)).toBe(false)
  })

  test.each(['10.0.0.0/-1', '10.0.0.0/0x8', '..example.com', '.', 'fe80::1%eth0/64', '10.0.0.0 255.0.0.0', '#'])(
    'is not %j either',
    (text) => {
      expect(isClientAddress(text)).toBe(false)
    },
  )
})
