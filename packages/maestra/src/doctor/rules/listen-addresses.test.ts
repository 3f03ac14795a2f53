import { expect, test } from 'vitest'
import { type Keys, said } from '../said.fixture.js'
import { listenAddresses } from './listen-addresses.js'

test.each([
  ['127.0.0.1', undefined],
  ['10.0.0.1', "'*'"],
  ['10.0.0.1', '0.0.0.0'],
  ['"2001:db8::1"', "'::'"],
  ['10.0.0.1', "'localhost, 10.0.0.1'"],
  ['"2001:db8::1"', "'2001:DB8:0::1'"],
  ['localhost', '127.0.0.1'],
  ['localhost', "'::1'"],
  ['127.0.0.1', 'localhost'],
  ['db1.example.com', '127.0.0.1'],
  ['10.0.0.1', 'db1.example.com'],
  ['"::1"', "'::1%lo'"],
])('finds nothing wrong with a node at %s that listens on %s', (host, addresses) => {
  const parameters = addresses === undefined ? '' : `listen_addresses: ${addresses}`
  expect(said(listenAddresses, { db2: `host: ${host}, parameters: { ${parameters} }` })).toStrictEqual([])
})

test.each([
  ['10.0.0.1', 'localhost'],
  ['10.0.0.1', '10.0.0.2,127.0.0.1'],
  ['10.0.0.1', '::'],
  ['2001:db8::1', '0.0.0.0'],
  ['localhost', '10.0.0.1'],
  ['127.0.0.2', 'localhost'],
])('warns of a node at %s that listens on %s', (host, addresses) => {
  expect(
    said(listenAddresses, { db2: `host: "${host}", parameters: { listen_addresses: "${addresses}" }` }),
  ).toStrictEqual([`6 warning: \`listen_addresses\` is ${addresses}, and db2 is to be reached at ${host}`])
})

test('refuses to listen nowhere', () => {
  const keys: Keys = { db1: "host: db1.example.com, parameters: { listen_addresses: '' }" }
  expect(said(listenAddresses, keys)).toStrictEqual([
    '5 error: `listen_addresses` is empty: no node can connect to another',
  ])
})

test('says nothing without a declaration', () => {
  expect(listenAddresses.check({ declared: undefined })).toStrictEqual([])
})
