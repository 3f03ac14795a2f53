import { expect, test } from 'vitest'
import { type Keys, said } from '../said.fixture.js'
import { synchronousCommit } from './synchronous-commit.js'

test.each<Keys>([
  {},
  { all: 'synchronous_commit: on' },
  { all: 'synchronous_commit: local' },
  { all: "synchronous_commit: remote_apply, synchronous_standby_names: 'ANY 1 (*)'" },
  {
    all: 'synchronous_commit: remote_write',
    db1: 'parameters: { synchronous_standby_names: db2 }',
    db2: 'parameters: { synchronous_commit: on }',
    db3: 'parameters: { synchronous_commit: off }',
  },
])('finds nothing wrong with %j', (keys) => {
  expect(said(synchronousCommit, keys)).toStrictEqual([])
})

test.each(['remote_apply', 'remote_write'])('warns of %s where nobody is waited for', (level) => {
  const message = `\`synchronous_commit\` is ${level} and \`synchronous_standby_names\` is empty: no commit waits for a standby`
  expect(said(synchronousCommit, { db1: `parameters: { synchronous_commit: ${level} }` })).toStrictEqual([
    `5 warning: ${message}`,
  ])
  const all = `synchronous_commit: ${level.toUpperCase()}, synchronous_standby_names: ''`
  expect(new Set(said(synchronousCommit, { all }))).toStrictEqual(new Set([`3 warning: ${message}`]))
})

test('says nothing without a declaration', () => {
  expect(synchronousCommit.check({ declared: undefined })).toStrictEqual([])
})
