import { expect, test } from 'vitest'
import { type Keys, said } from '../said.fixture.js'
import { trustedAddresses } from './trusted-addresses.js'

const trust = 'replication: { authentication: trust }'

test.each<Keys>([
  {},
  { db2: 'host: 203.0.113.7' },
  { more: trust },
  ...['10.1.2.3', '172.31.0.1', '192.168.0.1', '169.254.1.1', '100.64.0.1', 'localhost', 'db2.example.com'].map(
    (host) => ({
      more: trust,
      db2: `host: ${host}`,
    }),
  ),
  ...['::1', 'fd00::1', 'fe80::1'].map((host) => ({ more: trust, db2: `host: "${host}"` })),
])('finds nothing wrong with %j', (keys) => {
  expect(said(trustedAddresses, keys)).toStrictEqual([])
})

test.each(['203.0.113.7', '172.32.0.1', '100.128.0.1', '2001:db8::1'])('warns of trust for %s', (host) => {
  expect(said(trustedAddresses, { more: trust, db2: `host: "${host}"` })).toStrictEqual([
    `6 warning: replication trusts ${host}, the public address of node db2: whoever sends from there may read everything`,
  ])
})

test('says nothing without a declaration', () => {
  expect(trustedAddresses.check({ declared: undefined })).toStrictEqual([])
})
