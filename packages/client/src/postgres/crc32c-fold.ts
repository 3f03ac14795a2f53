/** Node.js has it, its types do not; it is absent where V8 may not compile. */
declare const WebAssembly:
  | {
      readonly Module: new (bytes: Uint8Array) => object
      readonly Instance: new (module: object, imports: object) => { readonly exports: unknown }
      readonly Memory: new (size: { readonly initial: number }) => { readonly buffer: ArrayBuffer }
    }
  | undefined

/**
 * Takes 16 bytes at a time (64 in the case of blocks) from `from` up to `to`, adds what was made before, from `made` on, and puts
 * the sum to `out`. All are addresses in the memory.
 */
type Fold = (from: number, to: number, made: number, out: number) => void

type FoldExports = { readonly blocks: Fold; readonly words: Fold; readonly bytes: Fold }

const pageBytes = 64 * 1024
const blockBytes = 16

/**
 * So many units are left of longer chunks. Multiplication by y = x^128 moves a block of 16 bytes by one place, and modulo the
 * polynomial y^209 = y^144 + y^54 + y^39 + y^14 + 1. Squaring keeps such an equation, and modulo a polynomial without
 * multiple factors it can be undone, so that it holds for y = x^32, a word, and for y = x^8, a byte, as well.
 */
const span = 209

/** For fewer bytes it does not pay to begin. */
export const leastFoldedBytes = 2 * span * blockBytes

/** Longer chunks come in parts: what is made of one stays in the cache. */
const mostFoldedBytes = pageBytes

/**
 * So a unit may be added (XOR) to the units 65, 155, 170, 195 and 209 places after it instead of standing where it is, and the
 * checksum stays. Turned round, a unit is itself and those so many places before it, which is one store for each, leaves the
 * chunk as it is, takes no tables, and SIMD does 16 bytes of it at a time.
 * ```
 * (module
 *   (import "maestra" "memory" (memory 1))
 *   (func (export "blocks") (param $in i32) (param $end i32) (param $made i32) (param $out i32)
 *     (loop $next
 *       (v128.store (local.get $out)
 *         (v128.xor (v128.load (local.get $in))
 *         ;; $made is 209 places before: the offsets are (209 - place) * 16
 *         (v128.xor (v128.xor (v128.load (local.get $made)) (v128.load offset=224 (local.get $made)))
 *         (v128.xor (v128.xor (v128.load offset=624 (local.get $made)) (v128.load offset=864 (local.get $made)))
 *                   (v128.load offset=2304 (local.get $made))))))
 *       (local.set $made (i32.add (local.get $made) (i32.const 16)))
 *       (local.set $out (i32.add (local.get $out) (i32.const 16)))
 *       (br_if $next (i32.lt_u (local.tee $in (i32.add (local.get $in) (i32.const 16))) (local.get $end)))))
 *   ;; "words" has the offsets 56, 156, 216 and 576, "bytes" has 14, 39, 54 and 144;
 *   ;; "blocks" does this four times in a row, at offsets 0, 16, 32 and 48, and goes on by 64
 * ```
 */
const program =
  'AGFzbQEAAAABCAFgBH9/f38AAhMBB21hZXN0cmEGbWVtb3J5AgABAwQDAAAABxoDBmJsb2NrcwAABXdvcmRzAAEFYnl0ZXMAAgqxAwOCAgADQCADIAD9AAQAIAL9AAQAIAL9AATgAf1RIAL9AATwBCAC/QAE4Ab9USAC/QAEgBL9Uf1R/VH9CwQAIAMgAP0ABBAgAv0ABBAgAv0ABPAB/VEgAv0ABIAFIAL9AATwBv1RIAL9AASQEv1R/VH9Uf0LBBAgAyAA/QAEICAC/QAEICAC/QAEgAL9USAC/QAEkAUgAv0ABIAH/VEgAv0ABKAS/VH9Uf1R/QsEICADIAD9AAQwIAL9AAQwIAL9AASQAv1RIAL9AASgBSAC/QAEkAf9USAC/QAEsBL9Uf1R/VH9CwQwIAJBwABqIQIgA0HAAGohAyAAQcAAaiIAIAFJDQALC1YAA0AgAyAA/QAEACAC/QAEACAC/QAEOP1RIAL9AAScASAC/QAE2AH9USAC/QAEwAT9Uf1R/VH9CwQAIAJBEGohAiADQRBqIQMgAEEQaiIAIAFJDQALC1QAA0AgAyAA/QAEACAC/QAEACAC/QAEDv1RIAL9AAQnIAL9AAQ2/VEgAv0ABJAB/VH9Uf1R/QsEACACQRBqIQIgA0EQaiEDIABBEGoiACABSQ0ACws='

/** Blocks are taken by four. */
const stepBytes = 4 * blockBytes

/** What is kept of the blocks that were made last: the span, in whole steps. */
const keptBytes = Math.ceil((span * blockBytes) / stepBytes) * stepBytes

/** Where things lie in the memory. At address 0 there are zeroes, as before the first of all units. */
const keptAt = span * blockBytes
const madeAt = keptAt + keptBytes
const leftAt = [madeAt + mostFoldedBytes, madeAt + mostFoldedBytes + keptBytes] as const
const copyAt = 3 * pageBytes - mostFoldedBytes
const lentAt = 3 * pageBytes

/** Made before the first block, this is added to it and to no other. */
const addedToFirstAt = madeAt - span * blockBytes

/** The same with smaller units, of what is left of the blocks and then of the words. */
type Stage = {
  readonly fold: Fold
  readonly from: number
  /** What is there, and what is left of it: the span, in whole steps of `fold`. */
  readonly length: number
  readonly left: number
  /** Where the units begin before which there are zeroes. */
  readonly before: number
  readonly out: number
}

const leftWordBytes = Math.ceil((span * 4) / blockBytes) * blockBytes
const leftBytes = Math.ceil(span / blockBytes) * blockBytes

/**
 * Shortens a long row of bytes, which comes in chunks, to a few that have the same checksum. One row at a time: who begins
 * another ends the one before.
 */
export class Crc32cFold {
  /** Chunks that lie here are taken where they lie. */
  readonly lent: Buffer
  readonly #bytes: Uint8Array
  readonly #blocks: Fold
  readonly #stages: readonly Stage[]
  readonly #addedToFirst: Int32Array
  readonly #result: Int32Array
  #onDisplaced: (() => void) | undefined

  private constructor(memory: ArrayBuffer, { blocks, words, bytes }: FoldExports) {
    this.#bytes = new Uint8Array(memory)
    this.lent = Buffer.from(memory, lentAt)
    this.#blocks = blocks
    this.#stages = [
      { fold: words, from: leftAt[0], length: keptBytes, left: leftWordBytes, before: span * 4, out: leftAt[1] },
      { fold: bytes, from: leftAt[1], length: leftWordBytes, left: leftBytes, before: span, out: leftAt[0] },
    ]
    this.#addedToFirst = new Int32Array(memory, addedToFirstAt, 1)
    this.#result = new Int32Array(memory, leftAt[0], leftBytes / 4)
  }

  /** With so many bytes to lend, at least. Undefined where WebAssembly or its SIMD is missing, or its memory. */
  static make(lentBytes = 0): Crc32cFold | undefined {
    if (typeof WebAssembly === 'undefined') return undefined
    try {
      const memory = new WebAssembly.Memory({ initial: lentAt / pageBytes + Math.ceil(lentBytes / pageBytes) })
      const module = new WebAssembly.Module(Buffer.from(program, 'base64'))
      const { exports } = new WebAssembly.Instance(module, { maestra: { memory } })
      return new Crc32cFold(memory.buffer, exports as FoldExports)
    } catch {
      return undefined
    }
  }

  /** How many bytes of so many are taken. */
  static lengthOf(bytes: number): number {
    return bytes - (bytes % stepBytes)
  }

  /** A row whose checksum is begun with `crc`. `onDisplaced` is called, once, when somebody else begins before `end`. */
  begin(crc: number, onDisplaced: () => void): void {
    this.#onDisplaced?.()
    this.#onDisplaced = onDisplaced
    this.#bytes.fill(0, keptAt, madeAt)
    this.#addedToFirst[0] = crc
  }

  /** So many bytes of the chunk, which `lengthOf` gave. */
  take(chunk: Uint8Array, length: number): void {
    const isLent = chunk.buffer === this.lent.buffer
    for (let at = 0; at < length; at += mostFoldedBytes) {
      const part = Math.min(length - at, mostFoldedBytes)
      if (!isLent) this.#bytes.set(chunk.subarray(at, at + part), copyAt)
      const from = isLent ? chunk.byteOffset + at : copyAt
      this.#blocks(from, from + part, addedToFirstAt, madeAt)
      this.#bytes.copyWithin(keptAt, keptAt + part, madeAt + part)
    }
  }

  /** Words whose checksum, begun with 0, is that of the row; valid until the next call. */
  end(): Int32Array {
    this.#onDisplaced = undefined
    // What was made last has got of its neighbours what belongs to it, and is taken back here.
    this.#blocks(keptAt, madeAt, 0, leftAt[0])
    for (const { fold, from, length, left, before, out } of this.#stages) {
      const spread = length - left
      fold(from, from + spread, keptAt - before, keptAt)
      // Those that are left get what was spread, and give nothing to each other.
      this.#bytes.fill(0, keptAt + spread, keptAt + length)
      fold(from + spread, from + length, keptAt + spread - before, out)
    }
    return this.#result
  }
}
