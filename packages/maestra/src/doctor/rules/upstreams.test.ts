import { expect, test } from 'vitest'
import { type Keys, said } from '../said.fixture.js'
import { upstreams } from './upstreams.js'

test.each<Keys>([
  {},
  { db3: 'follows: db2' },
  { db2: 'follows: db3' },
  { db2: 'follows: db1', db3: 'follows: db1' },
  { db3: 'follows: db2, parameters: { recovery_min_apply_delay: 1h }' },
  { db2: 'parameters: { recovery_min_apply_delay: 0 }', db3: 'follows: db2' },
])('finds nothing wrong with %j', (keys) => {
  expect(said(upstreams, keys)).toStrictEqual([])
})

test.each<[Keys, readonly string[]]>([
  [{ db1: 'follows: db2' }, ['5 error: db1 is the primary, and follows db2: a primary follows nobody']],
  [{ db2: 'follows: db2' }, ['6 error: db2 follows itself']],
  [{ db3: 'follows: db22' }, ['7 error: db3 follows db22, which is no node of this cluster; did you mean `db2`?']],
  [{ db3: 'follows: elsewhere' }, ['7 error: db3 follows elsewhere, which is no node of this cluster']],
  [
    { db2: 'follows: db3', db3: 'follows: db2' },
    [
      '6 error: db2 follows db3 follows db2: no WAL of the primary comes to them',
      '7 error: db3 follows db2 follows db3: no WAL of the primary comes to them',
    ],
  ],
])('refuses %j', (keys, findings) => {
  expect(said(upstreams, keys)).toStrictEqual(findings)
})

test('warns of an upstream that replays late', () => {
  expect(said(upstreams, { db2: 'parameters: { recovery_min_apply_delay: 1h }', db3: 'follows: db2' })).toStrictEqual([
    '6 warning: db3 follows db2, which replays 1h late: db3 does not, receives nothing while db2 makes up for a restart, and cannot follow it where it is promoted at an earlier point',
  ])
})

test('says nothing without a declaration', () => {
  expect(upstreams.check({ declared: undefined })).toStrictEqual([])
})
