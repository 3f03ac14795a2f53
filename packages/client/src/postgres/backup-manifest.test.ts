import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseBackupManifest } from './backup-manifest.js'

/** A manifest in the server's layout, with the checksum that goes with it. */
function manifest({
  version = '2',
  identifier = '"System-Identifier": 7711896227568851524,\n',
  files = '',
  ranges = '',
} = {}): Buffer {
  const body = `{ "PostgreSQL-Backup-Manifest-Version": ${version},\n${identifier}"Files": [\n${files}],\n"WAL-Ranges": [\n${ranges}],\n`
  return sealed(body)
}

function sealed(body: string | Buffer): Buffer {
  const sum = createHash('sha256').update(body).digest('hex')
  return Buffer.concat([Buffer.from(body), Buffer.from(`"Manifest-Checksum": "${sum}"}\n`)])
}

const damaged = (message: string | RegExp) =>
  expect.objectContaining({
    code: 'damaged-file',
    message: typeof message === 'string' ? message : expect.stringMatching(message),
  })

/** Lines of manifests that servers of 14.23 and 18.4 sent. */
const lines = {
  crc32c:
    '{ "Path": "PG_VERSION", "Size": 3, "Last-Modified": "2026-11-25 00:16:02 GMT", "Checksum-Algorithm": "CRC32C", "Checksum": "994e7be2" }',
  sha256:
    '{ "Encoded-Path": "626173652f352f50475f56455253494f4e", "Size": 3, "Last-Modified": "2026-11-25 00:16:02 GMT", "Checksum-Algorithm": "SHA256", "Checksum": "7ee29791fc17e986b97128845622b077fb45e349fdb80523fac9dba879b4ad60" }',
  none: '{ "Path": "backup_label", "Size": 201, "Last-Modified": "2026-11-25 00:28:22 GMT" }',
  notUtf8: '{ "Encoded-Path": "626164ff226e616d65", "Size": 1, "Last-Modified": "2026-11-25 00:28:12 GMT" }',
  range: '{ "Timeline": 1, "Start-LSN": "0/2000028", "End-LSN": "0/2000138" }',
}

describe('parseBackupManifest', () => {
  it('reads version 2 with its system identifier, to the last digit', () => {
    expect(
      parseBackupManifest(manifest({ files: `${lines.crc32c},\n${lines.none}\n`, ranges: `${lines.range}\n` })),
    ).toEqual({
      version: 2,
      systemIdentifier: 7711896227568851524n,
      files: [
        {
          path: 'PG_VERSION',
          size: 3,
          lastModified: '2026-11-25 00:16:02 GMT',
          checksumAlgorithm: 'CRC32C',
          checksum: '994e7be2',
        },
        {
          path: 'backup_label',
          size: 201,
          lastModified: '2026-11-25 00:28:22 GMT',
          checksumAlgorithm: undefined,
          checksum: undefined,
        },
      ],
      walRanges: [{ timeline: 1, start: 0x2000028n, end: 0x2000138n }],
    })
  })

  it('reads version 1, which names no system', () => {
    const parsed = parseBackupManifest(manifest({ version: '1', identifier: '' }))
    expect(parsed).toEqual({ version: 1, systemIdentifier: undefined, files: [], walRanges: [] })
  })

  it('decodes encoded paths, as UTF-8 where they are that', () => {
    const { files } = parseBackupManifest(manifest({ files: `${lines.sha256},\n${lines.notUtf8}\n` }))
    expect(files.map((file) => file.path)).toEqual(['base/5/PG_VERSION', 'badÿ"name'])
    const encoded = Buffer.from('pg_öffentlich').toString('hex')
    const one = parseBackupManifest(manifest({ files: `${lines.notUtf8.replace('626164ff226e616d65', encoded)}\n` }))
    expect(one.files[0]?.path).toBe('pg_öffentlich')
  })

  it('does not take a file name for the system identifier', () => {
    const name = JSON.stringify('"System-Identifier": 5')
    const files = `{ "Path": ${name}, "Size": 0, "Last-Modified": "x" }\n`
    expect(parseBackupManifest(manifest({ version: '1', identifier: '', files }))).toMatchObject({
      systemIdentifier: undefined,
      files: [{ path: '"System-Identifier": 5' }],
    })
    expect(parseBackupManifest(manifest({ files })).systemIdentifier).toBe(7711896227568851524n)
  })

  it('reads a manifest wherever it lies in memory', () => {
    const bytes = manifest({ files: `${lines.crc32c}\n` })
    const memory = new Uint8Array(bytes.length + 7)
    memory.set(bytes, 5)
    expect(parseBackupManifest(memory.subarray(5, 5 + bytes.length))).toEqual(parseBackupManifest(bytes))
  })

  it('refuses a manifest of which any byte was changed', () => {
    const whole = manifest({ files: `${lines.crc32c}\n`, ranges: `${lines.range}\n` })
    const sumAt = whole.indexOf('"Manifest-Checksum"')
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const copy = Buffer.from(whole)
        copy[at] = (copy[at] ?? 0) ^ change
        // A digit of the checksum in upper case is the same digit.
        fc.pre(at < sumAt || copy.toString('latin1').toLowerCase() !== whole.toString('latin1').toLowerCase())
        expect(() => parseBackupManifest(copy)).toThrow(expect.objectContaining({ code: 'damaged-file' }))
      }),
    )
  })

  it('refuses a manifest that was cut anywhere', () => {
    const whole = manifest({ files: `${lines.crc32c}\n` })
    fc.assert(
      fc.property(fc.nat(whole.length - 1), (length) => {
        expect(() => parseBackupManifest(whole.subarray(0, length))).toThrow(
          expect.objectContaining({ code: 'damaged-file' }),
        )
      }),
    )
  })

  it('says both checksums when they differ', () => {
    const whole = manifest()
      .toString()
      .replace(/[0-9a-f]{64}/, '0'.repeat(64))
    expect(() => parseBackupManifest(Buffer.from(whole))).toThrow(
      damaged(/^the backup manifest has the checksum 0{64}, and its content gives [0-9a-f]{64}$/),
    )
  })

  it.each<[string, Parameters<typeof manifest>[0], string | RegExp]>([
    ['an unknown version', { version: '3' }, 'the backup manifest has the unknown version 3'],
    ['version 2 without an identifier', { identifier: '' }, 'the backup manifest names no system identifier'],
    ['a file without a path', { files: '{ "Size": 3 }' }, 'the backup manifest holds the file entry "{\\"Size\\":3}"'],
    [
      'a file with both kinds of path',
      { files: '{ "Path": "a", "Encoded-Path": "61", "Size": 3 }' },
      /holds the file entry/,
    ],
    ['a path in odd hexadecimal', { files: '{ "Encoded-Path": "616", "Size": 3 }' }, /holds the file entry/],
    ['a negative size', { files: '{ "Path": "a", "Size": -1 }' }, /holds the file entry/],
    [
      'an unknown algorithm',
      { files: '{ "Path": "a", "Size": 1, "Checksum-Algorithm": "MD5", "Checksum": "00" }' },
      /holds the file entry/,
    ],
    ['a range with no LSN', { ranges: '{ "Timeline": 1, "Start-LSN": "x", "End-LSN": "0/1" }' }, /holds the WAL range/],
    [
      'a range with timeline 0',
      { ranges: '{ "Timeline": 0, "Start-LSN": "0/0", "End-LSN": "0/1" }' },
      /holds the WAL range/,
    ],
    ['a file that is no object', { files: '"a"' }, 'the backup manifest has no list Files'],
    ['broken JSON', { files: '{ "Path"' }, /^the backup manifest is not JSON: /],
  ])('refuses %s although the checksum is right', (_, parts, message) => {
    expect(() => parseBackupManifest(manifest(parts))).toThrow(damaged(message))
  })

  it('refuses a list and nothing', () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('\n'), Buffer.from('\n\n'), Buffer.from('[]\n')]) {
      expect(() => parseBackupManifest(bytes)).toThrow(
        damaged('the backup manifest has no last line with its checksum'),
      )
    }
  })
})
