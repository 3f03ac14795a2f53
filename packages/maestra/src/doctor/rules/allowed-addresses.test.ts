import { expect, test } from 'vitest'
import { type Keys, said } from '../said.fixture.js'
import { allowedAddresses } from './allowed-addresses.js'

test.each<Keys>([
  {},
  { more: 'allow: [0.0.0.0/0]' },
  { db2: 'host: 10.0.0.2', more: 'allow: [10.0.0.0/8, 2001:db8::/32, app.example.com]' },
  { db2: "host: 127.0.0.2, parameters: { listen_addresses: 'localhost, 127.0.0.2' }", more: 'allow: [0.0.0.0/0]' },
])('finds nothing wrong with %j', (keys) => {
  expect(said(allowedAddresses, keys)).toStrictEqual([])
})

test.each(['0.0.0.0/0', '10.0.0.0/0', '::/0'])('warns of %s', (address) => {
  const finding = `8 warning: \`allow\` has ${address}: whoever reaches a port may try passwords`
  const more = `allow: ["${address}"]`
  expect(said(allowedAddresses, { db2: 'host: 10.0.0.2', more })).toStrictEqual([finding])
  expect(said(allowedAddresses, { all: "listen_addresses: '*'", more })).toStrictEqual([finding])
})

test('says nothing without a declaration', () => {
  expect(allowedAddresses.check({ declared: undefined })).toStrictEqual([])
})
