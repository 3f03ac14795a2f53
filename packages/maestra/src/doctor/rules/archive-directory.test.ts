import { expect, test } from 'vitest'
import { type Keys, said } from '../said.fixture.js'
import { archiveDirectory } from './archive-directory.js'

const archive = (directory: string) => `archive: { directory: ${directory} }`

test.each<Keys>([
  {},
  { all: 'archive_mode: off' },
  { more: archive('/archive') },
  { more: archive('db1-archive') },
  { more: archive('db'), all: "archive_mode: always, archive_command: 'pgbackrest archive-push %p'" },
  { more: archive('/archive'), db2: "parameters: { restore_command: 'cp /mnt/%f %p', archive_cleanup_command: '' }" },
])('finds nothing wrong with %j', (keys) => {
  expect(said(archiveDirectory, keys)).toStrictEqual([])
})

test.each([
  ['db1', 'the archive is the data directory of node db1: /srv/db1'],
  ['./db2/pg_wal', 'the archive lies inside the data directory of node db2: /srv/db2/pg_wal'],
  ['db3/../db1/x', 'the archive lies inside the data directory of node db1: /srv/db1/x'],
])('refuses an archive %s', (directory, message) => {
  expect(said(archiveDirectory, { more: archive(directory) })).toStrictEqual([`8 error: ${message}`])
})

test('refuses an archive around the data', () => {
  expect(said(archiveDirectory, { more: archive('/') })).toHaveLength(3)
  expect(said(archiveDirectory, { more: archive('/srv') })[0]).toBe(
    '8 error: the data directory of node db1 lies inside the archive: /srv/db1',
  )
})

test.each([
  ['archive_mode: off', '`archive_mode` is off, and `archive` is declared'],
  [
    'archive_library: basic_archive',
    '`archive_library` is set, and `archive` is declared: PostgreSQL takes one of the two',
  ],
  [
    'archive_cleanup_command: pg_archivecleanup /archive %r',
    '`archive_cleanup_command` of db2 would remove WAL from the archive that other nodes still need',
  ],
])('refuses %s beside it', (parameter, message) => {
  const keys = { more: archive('/archive'), db2: `parameters: { ${parameter} }` }
  expect(said(archiveDirectory, keys)).toStrictEqual([`6 error: ${message}`])
})

test('says nothing without a declaration', () => {
  expect(archiveDirectory.check({ declared: undefined })).toStrictEqual([])
})
