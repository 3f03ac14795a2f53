import type { BackupManifest, ManifestFile } from '@maestra/client/postgres/backup-manifest'
import { Crc32c } from '@maestra/client/postgres/crc32c'
import { describe, expect, it } from 'vitest'
import type { TreeWriter } from '../../host/host.js'
import { ArrivedFiles } from './arrived-files.js'

const nowhere: TreeWriter = {
  pendingBytes: 0,
  directory: () => {},
  beginFile: () => {},
  append: () => {},
  settled: async () => {},
  endFile: () => {},
  symbolicLink: () => {},
  drainedTo: async () => {},
  finish: async () => {},
  abandon: async () => {},
}

function listed(path: string, content: string, other: Partial<ManifestFile> = {}): ManifestFile {
  const bytes = Buffer.from(content)
  return {
    path,
    size: bytes.length,
    lastModified: '2026-11-25 08:00:00 GMT',
    checksumAlgorithm: 'CRC32C',
    checksum: new Crc32c().update(bytes).hex(),
    ...other,
  }
}

function arrived(files: Readonly<Record<string, string>>, checksums = true): ArrivedFiles {
  const all = new ArrivedFiles(nowhere, checksums)
  for (const [path, content] of Object.entries(files)) {
    all.beginFile(path, 0o600, content.length)
    for (const character of content) all.content(Buffer.from(character))
    all.endFile()
  }
  return all
}

function manifest(...files: readonly ManifestFile[]): BackupManifest {
  return { version: 2, systemIdentifier: 1n, files, walRanges: [] }
}

describe('ArrivedFiles', () => {
  it('accepts what the manifest lists', () => {
    const files = arrived({ PG_VERSION: '18\n', 'base/1/empty': '' })
    expect(() => files.verify(manifest(listed('base/1/empty', ''), listed('PG_VERSION', '18\n')))).not.toThrow()
    expect(files.count).toBe(2)
  })

  it('does not look for WAL in the manifest', () => {
    const files = arrived({ PG_VERSION: '18\n', 'pg_wal/000000010000000000000001': 'wal' })
    expect(() => files.verify(manifest(listed('PG_VERSION', '18\n')))).not.toThrow()
  })

  it.each([
    ['a missing file', {}, listed('base/1', 'x'), 'base/1 did not arrive'],
    ['a file of another size', { 'base/1': 'xy' }, listed('base/1', 'x'), 'base/1 has 2 bytes instead of 1'],
    ['a file of other content', { 'base/1': 'y' }, listed('base/1', 'x'), 'base/1 has the CRC32C'],
    ['a file without a checksum', { 'base/1': 'x' }, listed('base/1', 'x', { checksumAlgorithm: 'NONE' }), 'no CRC32C'],
    ['a file too many', { 'base/1': 'x', 'base/2': '' }, listed('base/1', 'x'), 'base/2 is not in the manifest'],
  ])('refuses %s and names it', (_, files, entry, message) => {
    expect(() => arrived(files).verify(manifest(entry))).toThrow(
      expect.objectContaining({ code: 'base-backup-failed', message: expect.stringContaining(message) }),
    )
  })

  it('compares names and sizes alone where the manifest was asked for without checksums', () => {
    const entry = listed('base/1', 'x', { checksumAlgorithm: 'NONE', checksum: undefined })
    expect(() => arrived({ 'base/1': 'y' }, false).verify(manifest(entry))).not.toThrow()
    expect(() => arrived({ 'base/1': 'xy' }, false).verify(manifest(entry))).toThrow(/2 bytes instead of 1/)
    expect(() => arrived({}, false).verify(manifest(entry))).toThrow(/base\/1 did not arrive/)
  })

  it('names three of many differences', () => {
    const entries = ['a', 'b', 'c', 'd', 'e'].map((path) => listed(path, 'x'))
    expect(() => arrived({}).verify(manifest(...entries))).toThrow(
      /: a did not arrive; b did not arrive; c did not arrive; and 2 more$/,
    )
  })

  it('refuses a file that comes twice', () => {
    expect(() => {
      const files = arrived({ 'base/1': 'x' })
      files.beginFile('base/1', 0o600, 1)
    }).toThrow(/base\/1 came twice/)
  })

  it('remembers the mode in which the server makes its files', () => {
    const files = new ArrivedFiles(nowhere, true)
    expect(files.fileMode).toBe(0o600)
    files.beginFile('backup_label', 0o640, 0)
    expect(files.fileMode).toBe(0o640)
  })
})
