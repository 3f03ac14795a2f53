import { expect, test } from 'vitest'
import { type Keys, said } from '../said.fixture.js'
import { archiving } from './archiving.js'

test.each<Keys>([
  {},
  { all: "archive_command: 'cp %p /archive/%f'" },
  { all: "archive_mode: off, archive_command: 'cp %p /archive/%f'" },
  ...[
    'test ! -f /archive/%f && cp %p /archive/%f',
    'cp -n %p /archive/%f',
    'cp --no-clobber %p /archive/%f',
    'pgbackrest --stanza=shop archive-push %p',
    'rsync -a pg_wal/%f archive:',
    'gzip < %p > /archive/%f-50%%.gz',
    '/bin/true',
  ].map((command) => ({ all: `archive_mode: on, archive_command: ${JSON.stringify(command)}` })),
  { all: 'archive_mode: on, archive_library: basic_archive' },
  { more: 'archive: { directory: /archive }' },
  { all: 'archive_mode: on', more: 'archive: { directory: "/archive of 100%" }' },
  { version: 15, all: "archive_mode: on, archive_library: basic_archive, archive_command: 'cp %p'" },
])('finds nothing wrong with %j', (keys) => {
  expect(said(archiving, keys)).toStrictEqual([])
})

const ofPrimary = (command: string, version = 18) =>
  said(archiving, { version, db1: `parameters: { archive_mode: always, archive_command: ${JSON.stringify(command)} }` })

test.each(['on', 'always', '1', '"TRUE"'])('warns of archive_mode %s without a place to archive to', (mode) => {
  expect(said(archiving, { db1: `parameters: { archive_mode: ${mode} }` })).toStrictEqual([
    '5 warning: `archive_mode` is on without an `archive_command`: WAL is kept for ever',
  ])
})

test('refuses a command beside a library from 16 on', () => {
  const keys = { db2: "parameters: { archive_mode: on, archive_library: basic_archive, archive_command: 'cp %p' }" }
  for (const version of [16, 17, 18])
    expect(said(archiving, { version, ...keys })).toStrictEqual([
      '6 error: `archive_command` and `archive_library` are both set: PostgreSQL archives nothing',
    ])
})

test('refuses a placeholder that is none from 16 on, and warns of it before', () => {
  expect(ofPrimary('cp %p %/tmp/%f')).toStrictEqual([
    '5 error: `archive_command` has "%/", which PostgreSQL refuses: it archives nothing',
  ])
  expect(ofPrimary('cp %p /archive/$(date +%Y)/%f', 15)).toStrictEqual([
    '5 warning: `archive_command` has "%Y", which stands for nothing',
  ])
  expect(ofPrimary('%%%p %%%f %%', 16)).toStrictEqual([])
})

test.each(['echo archived', 'cp wal /archive/%%f'])('warns of a command that does not know its file: %s', (command) => {
  expect(ofPrimary(command)).toStrictEqual([
    '5 warning: `archive_command` has neither %p nor %f: it cannot know which file to archive',
  ])
})

test.each(['cp %p /archive/%f', '/bin/cp %p /archive/%f', 'cp -p %p /archive/%f', 'cp "%p" "/archive/%f"'])(
  'warns of a command that overwrites: %s',
  (command) => {
    expect(ofPrimary(command)).toStrictEqual([
      '5 warning: `archive_command` copies over a file of the same name, which may be another server’s WAL',
    ])
  },
)

test('says nothing without a declaration', () => {
  expect(archiving.check({ declared: undefined })).toStrictEqual([])
})
