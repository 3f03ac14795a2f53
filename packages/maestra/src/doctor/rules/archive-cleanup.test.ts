import { expect, test } from 'vitest'
import { type Keys, said } from '../said.fixture.js'
import { archiveCleanup } from './archive-cleanup.js'

const command = "archive_cleanup_command: 'pg_archivecleanup /archive %r'"

test.each<Keys>([
  {},
  { db2: `parameters: { ${command} }` },
  { db1: `parameters: { ${command} }`, db2: `parameters: { ${command} }` },
  { all: "archive_cleanup_command: ''" },
  {
    db2: `parameters: { ${command} }`,
    db3: "parameters: { archive_cleanup_command: 'pg_archivecleanup /archive3 %r' }",
  },
])('finds nothing wrong with %j', (keys) => {
  expect(said(archiveCleanup, keys)).toStrictEqual([])
})

test('warns of an archive that two standbys clean up', () => {
  const message = '2 standbys have the same `archive_cleanup_command`: each removes WAL that another may still need'
  expect(said(archiveCleanup, { db2: `parameters: { ${command} }`, db3: `parameters: { ${command} }` })).toStrictEqual([
    `6 warning: ${message}`,
    `7 warning: ${message}`,
  ])
  expect(new Set(said(archiveCleanup, { all: command }))).toStrictEqual(new Set([`3 warning: ${message}`]))
})

test('says nothing without a declaration', () => {
  expect(archiveCleanup.check({ declared: undefined })).toStrictEqual([])
})
