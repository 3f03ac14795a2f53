import { badValue, damagedFile } from './bad-value.js'
import { crc32c } from './crc32c.js'
import { type Lsn, lsnOf } from './lsn.js'
import { type TimelineId, timelineOf } from './timeline.js'

/** What a server was doing when it last wrote pg_control, in the words of pg_controldata. */
export type ControlState = (typeof states)[number]

/** In the order of PostgreSQL's enum DBState. */
const states = [
  'starting up',
  'shut down',
  'shut down in recovery',
  'shutting down',
  'in crash recovery',
  'in archive recovery',
  'in production',
] as const

/** What global/pg_control says. Sizes in bytes, settings as they were when the server last ran. */
export type ControlData = {
  readonly systemIdentifier: bigint
  readonly controlVersion: number
  readonly catalogVersion: number
  readonly state: ControlState
  /** Where the latest checkpoint record starts. */
  readonly checkpointLsn: Lsn
  /** Where recovery would start. */
  readonly redoLsn: Lsn
  /** The timeline of the latest checkpoint. */
  readonly timeline: TimelineId
  readonly walSegmentSize: number
  readonly walBlockSize: number
  readonly blockSize: number
  readonly dataChecksums: boolean
  readonly maxConnections: number
  readonly maxWorkerProcesses: number
  readonly maxWalSenders: number
  readonly maxPreparedTransactions: number
  readonly maxLocksPerTransaction: number
  /** 0 minimal, 1 replica, 2 logical. */
  readonly walLevel: number
}

/**
 * Where the checksum stands, by the number of the format. 1800 put one byte before the 32 of the nonce. Source:
 * src/include/catalog/pg_control.h of each major version.
 */
const crcOffsets: Readonly<Record<number, number>> = { 1300: 288, 1700: 288, 1800: 292 }

/**
 * Reads pg_control of PostgreSQL 14 to 18 as little-endian 64-bit machines write it; the first 296 bytes suffice.
 * Throws damaged-file.
 */
export function parseControlData(bytes: Uint8Array): ControlData {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const crcOffset = crcOffsetOf(file)
  const stored = file.readUInt32LE(crcOffset)
  const computed = crc32c(file.subarray(0, crcOffset))
  if (stored !== computed) {
    throw damagedFile(
      `pg_control has the checksum ${hex(stored)}, and its content gives ${hex(computed)}`,
      'Read it again; when it stays so, the data directory is damaged: restore it, or make this node anew from the primary.',
    )
  }
  const state = states[file.readUInt32LE(16)]
  if (state === undefined)
    throw damagedFile(
      `pg_control holds the unknown state ${file.readUInt32LE(16)}`,
      'Check that the file belongs to a version from 14 to 18.',
    )
  return {
    systemIdentifier: file.readBigUInt64LE(0),
    controlVersion: file.readUInt32LE(8),
    catalogVersion: file.readUInt32LE(12),
    state,
    checkpointLsn: lsnOf(file.readBigUInt64LE(32)),
    redoLsn: lsnOf(file.readBigUInt64LE(40)),
    timeline: timelineOf(file.readUInt32LE(48)),
    walLevel: file.readInt32LE(172),
    maxConnections: file.readInt32LE(180),
    maxWorkerProcesses: file.readInt32LE(184),
    maxWalSenders: file.readInt32LE(188),
    maxPreparedTransactions: file.readInt32LE(192),
    maxLocksPerTransaction: file.readInt32LE(196),
    blockSize: file.readUInt32LE(216),
    walBlockSize: file.readUInt32LE(224),
    walSegmentSize: file.readUInt32LE(228),
    dataChecksums: file.readUInt32LE(252) !== 0,
  }
}

/**
 * A copy of pg_control with another system identifier and the checksum that goes with it. Throws damaged-file, as
 * parseControlData does, and bad-value for an identifier outside of 64 bits.
 */
export function withSystemIdentifier(bytes: Uint8Array, id: bigint): Buffer {
  parseControlData(bytes)
  const copy = Buffer.from(bytes)
  const crcOffset = crcOffsetOf(copy)
  copy.writeBigUInt64LE(checkedIdentifier(id), 0)
  copy.writeUInt32LE(crc32c(copy.subarray(0, crcOffset)), crcOffset)
  return copy
}

/** XLP_LONG_HEADER of src/include/access/xlog_internal.h: the page header also holds the system identifier. */
const longHeaderFlag = 0x0002
/** Bytes of a long page header. */
const longHeaderSize = 40

/**
 * A copy of the beginning of a WAL segment (all of it, or its first page, or as little as 40 bytes) that names another
 * system identifier. Page headers carry no checksum.
 * Throws damaged-file when no long page header stands there, and bad-value for an identifier outside of 64 bits.
 */
export function walSegmentWithSystemIdentifier(segment: Uint8Array, id: bigint): Buffer {
  const copy = Buffer.from(segment)
  if (!hasLongHeader(copy)) {
    throw damagedFile(
      'the WAL segment does not begin with a long page header',
      'Each segment that a server has begun starts with one; check the name of the file.',
    )
  }
  copy.writeBigUInt64LE(checkedIdentifier(id), 24)
  return copy
}

/**
 * The system that a WAL segment is of, by its first 40 bytes; undefined when they are not those of a segment that a
 * server has begun.
 */
export function systemIdentifierOfWalSegment(segment: Uint8Array): bigint | undefined {
  const header = Buffer.from(segment.buffer, segment.byteOffset, segment.byteLength)
  return hasLongHeader(header) ? header.readBigUInt64LE(24) : undefined
}

function hasLongHeader(segment: Buffer): boolean {
  return (
    segment.length >= longHeaderSize &&
    segment.readUInt16LE(0) >>> 8 === 0xd1 &&
    (segment.readUInt16LE(2) & longHeaderFlag) !== 0
  )
}

/**
 * A system identifier as initdb makes it: 32 bits of seconds, 20 of microseconds, 12 of the process id. `microsecond`
 * (0 to 999) tells apart two of the same millisecond.
 */
export function newSystemIdentifier(now: Date, pid: number, microsecond = 0): bigint {
  const ms = now.getTime()
  const seconds = BigInt(Math.floor(ms / 1000))
  const microseconds = BigInt((ms % 1000) * 1000 + microsecond)
  return (seconds << 32n) | (microseconds << 12n) | BigInt(pid & 0xfff)
}

function crcOffsetOf(file: Buffer): number {
  if (file.length < 296)
    throw damagedFile(
      `pg_control ends after ${file.length} bytes`,
      'The file has 8192 bytes; make this node anew from the primary.',
    )
  const version = file.readUInt32LE(8)
  const offset = crcOffsets[version]
  if (offset === undefined)
    throw damagedFile(
      `pg_control has the unknown format ${version}`,
      `Known are ${Object.keys(crcOffsets).join(', ')}: PostgreSQL 14 to 18 on a little-endian machine.`,
    )
  return offset
}

function checkedIdentifier(id: bigint): bigint {
  if (id < 0n || id > 0xffff_ffff_ffff_ffffn)
    throw badValue(`${id} is not a system identifier`, 'A system identifier is an unsigned number of 64 bits.')
  return id
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, '0')
}
