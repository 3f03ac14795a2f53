import { Crc32cFold, leastFoldedBytes } from './crc32c-fold.js'

/** The polynomial of CRC-32C (Castagnoli), bits reversed. */
const polynomial = 0x82f63b78

/**
 * Eight tables of 256 entries behind each other: entry b of table n is the checksum of byte b followed by n zero
 * bytes.
 */
const tables = makeTables()

function makeTables(): Int32Array {
  const made = new Int32Array(8 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1
    made[byte] = crc
  }
  for (let at = 256; at < made.length; at++) {
    const before = made[at - 256] as number
    made[at] = (before >>> 8) ^ (made[before & 0xff] as number)
  }
  return made
}

/**
 * CRC-32C as PostgreSQL computes it for pg_control, WAL records and the files of a backup manifest. Long chunks are folded
 * first; slices of 8 bytes.
 */
export class Crc32c {
  /** Of the bytes that came before those in the fold. */
  #crc = -1
  #fold: Crc32cFold | undefined

  update(chunk: Uint8Array): this {
    const fold = this.#fold !== undefined || chunk.length >= leastFoldedBytes ? foldOf(chunk) : undefined
    const folded = fold === undefined ? 0 : Crc32cFold.lengthOf(chunk.length)
    if (fold === undefined || folded === 0) return this.#addByTables(chunk)
    if (fold !== this.#fold) this.#beginIn(fold)
    fold.take(chunk, folded)
    return folded === chunk.length ? this : this.#addByTables(chunk.subarray(folded))
  }

  /** Of all bytes so far, unsigned. */
  value(): number {
    this.#endFold()
    return ~this.#crc >>> 0
  }

  /** As a backup manifest prints it: the 4 bytes as they lie in a little-endian memory, in lower-case hexadecimal. */
  hex(): string {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32LE(this.value())
    return bytes.toString('hex')
  }

  #addByTables(chunk: Uint8Array): this {
    if (chunk.length === 0) return this
    this.#endFold()
    this.#crc = advanceByTables(this.#crc, chunk)
    return this
  }

  #beginIn(fold: Crc32cFold): void {
    this.#endFold()
    fold.begin(this.#crc, () => this.#endFold())
    this.#fold = fold
  }

  #endFold(): void {
    if (this.#fold === undefined) return
    this.#crc = sliceBySlice(0, this.#fold.end())
    this.#fold = undefined
  }
}

export function crc32c(bytes: Uint8Array): number {
  return new Crc32c().update(bytes).value()
}

/** For chunks that lie elsewhere; made for the first one that is long enough. */
let made: { readonly fold: Crc32cFold | undefined } | undefined

/** Of memory that `crc32cMemory` gave. */
const folds = new WeakMap<ArrayBufferLike, Crc32cFold>()

/** Memory of so many bytes, zeroed, whose bytes are summed up where they lie; those of other memory are copied for it first. */
export function crc32cMemory(bytes: number): Buffer {
  const fold = Crc32cFold.make(bytes)
  if (fold === undefined) return Buffer.alloc(bytes)
  folds.set(fold.lent.buffer, fold)
  return fold.lent.subarray(0, bytes)
}

function foldOf(chunk: Uint8Array): Crc32cFold | undefined {
  const fold = folds.get(chunk.buffer)
  if (fold !== undefined) return fold
  made ??= { fold: Crc32cFold.make() }
  return made.fold
}

function advanceByTables(start: number, chunk: Uint8Array): number {
  if (chunk.length < 8) return byteByByte(start, chunk, 0, chunk.length)
  // Words are read where they are aligned, which is a third faster than bytes; that their low byte comes first holds
  // on x86-64 and on aarch64.
  const head = -chunk.byteOffset & 3
  const words = new Int32Array(chunk.buffer, chunk.byteOffset + head, ((chunk.length - head) >> 3) * 2)
  const tail = head + words.length * 4
  return byteByByte(sliceBySlice(byteByByte(start, chunk, 0, head), words), chunk, tail, chunk.length)
}

function byteByByte(start: number, bytes: Uint8Array, from: number, to: number): number {
  let crc = start
  for (let at = from; at < to; at++) crc = (crc >>> 8) ^ (tables[(crc ^ (bytes[at] as number)) & 0xff] as number)
  return crc
}

function sliceBySlice(start: number, words: Int32Array): number {
  const t = tables
  let crc = start
  for (let at = 0; at < words.length; at += 2) {
    const a = crc ^ (words[at] as number)
    const b = words[at + 1] as number
    crc =
      (t[1792 + (a & 0xff)] as number) ^
      (t[1536 + ((a >>> 8) & 0xff)] as number) ^
      (t[1280 + ((a >>> 16) & 0xff)] as number) ^
      (t[1024 + (a >>> 24)] as number) ^
      (t[768 + (b & 0xff)] as number) ^
      (t[512 + ((b >>> 8) & 0xff)] as number) ^
      (t[256 + ((b >>> 16) & 0xff)] as number) ^
      (t[b >>> 24] as number)
  }
  return crc
}
