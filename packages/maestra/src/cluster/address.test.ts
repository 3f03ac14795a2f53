import { hbaAddress } from '@maestra/client/postgres/hba'
import { describe, expect, test } from 'vitest'
import { isClientAddress, isReachableAddress, parseHostAndPort } from './address.js'

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

describe('a host and a port', () => {
  test.each([
    ['10.0.0.1:5432', '10.0.0.1', 5432],
    ['[2001:db8::1]:6432', '2001:db8::1', 6432],
    ['db1.example.com:1', 'db1.example.com', 1],
    ['localhost:65535', 'localhost', 65_535],
  ])('are %s', (text, host, port) => {
    expect(parseHostAndPort(text)).toEqual({ host, port })
  })

  test.each([
    '',
    '10.0.0.1',
    ':5432',
    '10.0.0.1:',
    '10.0.0.1:0',
    '10.0.0.1:65536',
    '10.0.0.1:5432x',
    '10.0.0.1: 5432',
    '2001:db8::1:6432',
    '[2001:db8::1]',
    '[10.0.0.1]:5432',
    '[localhost]:5432',
    '0.0.0.0:5432',
    '/tmp:5432',
    'a b:5432',
  ])('are not %j', (text) => {
    expect(parseHostAndPort(text)).toBeUndefined()
  })
})
