import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { damagedFile, quoted } from './bad-value.js'
import { isLsn, type Lsn, parseLsn } from './lsn.js'
import { type TimelineId, timelineOf } from './timeline.js'

export type ManifestChecksumAlgorithm = (typeof algorithms)[number]

const algorithms = ['NONE', 'CRC32C', 'SHA224', 'SHA256', 'SHA384', 'SHA512'] as const

export type ManifestFile = {
  /** Relative to the data directory. A name that is not UTF-8 is read as latin1: one character a byte. */
  readonly path: string
  /** Bytes. */
  readonly size: number
  /** As the server prints it: 2026-11-25 08:00:00 GMT. */
  readonly lastModified: string
  readonly checksumAlgorithm: ManifestChecksumAlgorithm | undefined
  /** Lower-case hexadecimal. */
  readonly checksum: string | undefined
}

export type ManifestWalRange = { readonly timeline: TimelineId; readonly start: Lsn; readonly end: Lsn }

/**
 * What the file backup_manifest of a base backup says. Source: "Backup Manifest Format" of PostgreSQL's
 * documentation.
 */
export type BackupManifest = {
  readonly version: number
  /** From 17 (version 2 of the format) on. */
  readonly systemIdentifier: bigint | undefined
  readonly files: readonly ManifestFile[]
  /** The log that makes the copy consistent. */
  readonly walRanges: readonly ManifestWalRange[]
}

const hint = 'Take the base backup again.'

/** Reads a backup manifest after holding it to its own SHA-256. Throws damaged-file. */
export function parseBackupManifest(bytes: Uint8Array): BackupManifest {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const lastLine = file.lastIndexOf(0x0a, file.length - 2) + 1
  if (file.length === 0 || file[file.length - 1] !== 0x0a || lastLine === 0)
    throw damagedFile('the backup manifest has no last line with its checksum', hint)
  const [, stored] = /^"Manifest-Checksum": "([0-9a-fA-F]{64})"\}\n$/.exec(file.toString('latin1', lastLine)) ?? []
  if (stored === undefined) throw damagedFile('the backup manifest has no last line with its checksum', hint)
  const computed = createHash('sha256').update(file.subarray(0, lastLine)).digest('hex')
  if (stored.toLowerCase() !== computed)
    throw damagedFile(`the backup manifest has the checksum ${stored}, and its content gives ${computed}`, hint)
  return manifestOf(jsonOf(file.toString('utf8')))
}

/**
 * The identifier needs more digits than a double has; as a string it survives JSON.parse. Inside of a JSON string the
 * quotes around the key would be escaped, so nothing else is hit.
 */
function jsonOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text.replace(/"System-Identifier"\s*:\s*(\d+)/, '"System-Identifier": "$1"'))
    if (isRecord(value)) return value
  } catch (error) {
    throw damagedFile(`the backup manifest is not JSON: ${(error as Error).message.split('\n')[0]}`, hint)
  }
  throw damagedFile('the backup manifest is not a JSON object', hint)
}

function manifestOf(json: Record<string, unknown>): BackupManifest {
  const version = json['PostgreSQL-Backup-Manifest-Version']
  if (version !== 1 && version !== 2)
    throw damagedFile(
      `the backup manifest has the unknown version ${JSON.stringify(version)}`,
      'Maestra reads versions 1 and 2.',
    )
  const identifier = json['System-Identifier']
  if (version === 2 && typeof identifier !== 'string')
    throw damagedFile('the backup manifest names no system identifier', hint)
  return {
    version,
    systemIdentifier: typeof identifier === 'string' ? BigInt(identifier) : undefined,
    files: listOf(json, 'Files').map(fileOf),
    walRanges: listOf(json, 'WAL-Ranges').map(walRangeOf),
  }
}

function fileOf(entry: Record<string, unknown>): ManifestFile {
  const path = pathOf(entry)
  const { Size: size, 'Last-Modified': lastModified, 'Checksum-Algorithm': algorithm, Checksum: checksum } = entry
  const known = algorithms.find((name) => name === algorithm)
  if (
    path === undefined ||
    typeof size !== 'number' ||
    !Number.isSafeInteger(size) ||
    size < 0 ||
    (algorithm !== undefined && known === undefined) ||
    (checksum !== undefined && typeof checksum !== 'string')
  ) {
    throw damagedFile(`the backup manifest holds the file entry ${quoted(JSON.stringify(entry))}`, hint)
  }
  return {
    path,
    size,
    lastModified: typeof lastModified === 'string' ? lastModified : '',
    checksumAlgorithm: known,
    checksum: checksum?.toLowerCase(),
  }
}

function pathOf(entry: Record<string, unknown>): string | undefined {
  const { Path: path, 'Encoded-Path': encoded } = entry
  if (typeof path === 'string' && encoded === undefined) return path
  if (typeof encoded === 'string' && path === undefined && /^(?:[0-9a-fA-F]{2})+$/.test(encoded))
    return nameOf(Buffer.from(encoded, 'hex'))
  return undefined
}

function nameOf(bytes: Buffer): string {
  return isUtf8(bytes) ? bytes.toString() : bytes.toString('latin1')
}

function walRangeOf(entry: Record<string, unknown>): ManifestWalRange {
  const { Timeline: timeline, 'Start-LSN': start, 'End-LSN': end } = entry
  if (
    typeof timeline !== 'number' ||
    !Number.isInteger(timeline) ||
    timeline < 1 ||
    typeof start !== 'string' ||
    typeof end !== 'string' ||
    !isLsn(start) ||
    !isLsn(end)
  ) {
    throw damagedFile(`the backup manifest holds the WAL range ${quoted(JSON.stringify(entry))}`, hint)
  }
  return { timeline: timelineOf(timeline), start: parseLsn(start), end: parseLsn(end) }
}

function listOf(json: Record<string, unknown>, key: string): Record<string, unknown>[] {
  const list = json[key]
  if (!Array.isArray(list) || !list.every(isRecord)) throw damagedFile(`the backup manifest has no list ${key}`, hint)
  return list
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
