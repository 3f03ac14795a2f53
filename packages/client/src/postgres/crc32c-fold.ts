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

/** For fewer bytes it does not pay. */
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

type Stage = {
  readonly fold: Fold
  /** What is left of the chunk, in bytes: the span, in whole steps of `fold`. */
  readonly left: number
  /** From where on the bytes before the first unit are taken. */
  readonly before: number
  /** Where what is left lies; never where the stage before has put it. */
  readonly out: number
}

/** Where things lie in the memory. */
const madeAt = span * blockBytes
const leftAt = [madeAt + mostFoldedBytes, madeAt + mostFoldedBytes + 2 * madeAt] as const
const copyAt = 3 * pageBytes - mostFoldedBytes
const lentAt = 3 * pageBytes

/** Blocks are taken by four. */
const stepBytes = 4 * blockBytes

function stage(fold: Fold, unitBytes: number, ofBytes: number, out: number): Stage {
  return { fold, left: Math.ceil((span * unitBytes) / ofBytes) * ofBytes, before: madeAt - span * unitBytes, out }
}

/** Shortens long chunks to a few bytes that have the same checksum. */
export class Crc32cFold {
  /** Chunks that lie here are taken where they lie. */
  readonly lent: Buffer
  readonly #bytes: Uint8Array
  readonly #words: Int32Array
  readonly #stages: readonly Stage[]

  private constructor(memory: ArrayBuffer, { blocks, words, bytes }: FoldExports) {
    this.#bytes = new Uint8Array(memory)
    this.#words = new Int32Array(memory)
    this.lent = Buffer.from(memory, lentAt)
    this.#stages = [
      stage(blocks, blockBytes, stepBytes, leftAt[0]),
      stage(words, 4, blockBytes, leftAt[1]),
      stage(bytes, 1, blockBytes, leftAt[0]),
    ]
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

  /** How many bytes `fold` takes of so many, which are enough for it. */
  static lengthOf(bytes: number): number {
    return Math.min(bytes - (bytes % stepBytes), mostFoldedBytes)
  }

  /**
   * Words whose checksum, begun with 0, is that of the chunk, begun with `crc`; valid until the next call. The chunk's length
   * is one that `lengthOf` gives.
   */
  fold(crc: number, chunk: Uint8Array): Int32Array {
    // Before the first unit there are zeroes, but for this word, which is added to the first unit and to no other.
    this.#words[0] = crc
    let from = this.#addressOf(chunk)
    let length = chunk.length
    for (const { fold, left, before, out } of this.#stages) {
      const spread = length - left
      fold(from, from + spread, before, madeAt)
      // Those that are left get what was spread, and give nothing to each other.
      this.#bytes.fill(0, madeAt + spread, madeAt + length)
      fold(from + spread, from + length, before + spread, out)
      this.#words[0] = 0
      from = out
      length = left
    }
    return this.#words.subarray(from / 4, (from + length) / 4)
  }

  #addressOf(chunk: Uint8Array): number {
    if (chunk.buffer === this.lent.buffer) return chunk.byteOffset
    this.#bytes.set(chunk, copyAt)
    return copyAt
  }
}
