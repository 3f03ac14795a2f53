import { expect, test } from 'vitest'
import { archiveCommand, archiveCommandBytes } from '../../cluster/archive-commands.js'
import { said } from '../said.fixture.js'
import { archiveCommandLength } from './archive-command-length.js'

/** The longest directory whose command PostgreSQL 15 takes whole. */
const most = 1023 - archiveCommandBytes(archiveCommand('/')) + 1
const archive = (length: number) => `archive: { directory: ${'/a'.padEnd(length, 'b')} }`

test('finds nothing wrong with what fits, nor from 16 on', () => {
  expect(said(archiveCommandLength, { version: 15 })).toStrictEqual([])
  expect(said(archiveCommandLength, { version: 15, more: archive(most) })).toStrictEqual([])
  expect(said(archiveCommandLength, { version: 16, more: archive(most + 1) })).toStrictEqual([])
})

test('refuses a directory whose command is cut off', () => {
  for (const version of [14, 15])
    expect(said(archiveCommandLength, { version, more: archive(most + 1) })).toStrictEqual([
      `8 error: the path of the archive is too long: the \`archive_command\` with it has 1024 bytes with the names filled in, and PostgreSQL ${version} cuts it off after 1023`,
    ])
})

test('refuses a command that is cut off', () => {
  const db2 = `parameters: { archive_command: "test -f %p ${'x'.repeat(1000)}" }`
  expect(said(archiveCommandLength, { version: 15, db2, more: archive(10) })).toStrictEqual([
    '6 error: `archive_command` has 1056 bytes with the names filled in, and PostgreSQL 15 cuts it off after 1023',
  ])
})

test('says nothing without a declaration', () => {
  expect(archiveCommandLength.check({ declared: undefined })).toStrictEqual([])
})
