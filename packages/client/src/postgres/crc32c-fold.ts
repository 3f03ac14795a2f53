/** Node.js has it, its types do not; it is absent where V8 may not compile. */
declare const WebAssembly:
  | {
      readonly Module: new (bytes: Uint8Array) => object
      readonly Instance: new (module: object) => { readonly exports: unknown }
    }
  | undefined

type FoldExports = {
  readonly memory: { readonly buffer: ArrayBuffer }
  /** Of blocks of 16 bytes. Both in bytes from the memory's beginning, `from` below `to`. */
  readonly fold: (from: number, to: number) => void
  /** The same of words of 4 bytes. */
  readonly foldWords: (from: number, to: number) => void
}

const blockBytes = 16
const wordBytes = 4

/**
 * So many blocks are left of longer chunks. Multiplication by y = x^128 moves a block by one place, and modulo the polynomial
 * y^209 = y^144 + y^54 + y^39 + y^14 + 1. Squaring keeps such an equation, so that it holds for y = x^32, a word, as well.
 */
const span = 209

/** For fewer bytes it does not pay. */
export const leastFoldedBytes = 2 * span * blockBytes

/** The whole memory of the program below. */
const memoryBytes = 128 * 1024

/**
 * So a block of 16 bytes may be added (XOR) to the blocks 65, 155, 170, 195 and 209 places after it instead of standing where
 * it is, and the checksum stays. That takes no tables, and SIMD does a block at a time: six times as fast as tables.
 * ```
 * (module
 *   (memory (export "memory") 2)
 *   (func (export "fold") (param $at i32) (param $end i32) (local $block v128)
 *     (loop $next
 *       (local.set $block (v128.load (local.get $at)))
 *       ;; the next line with the offsets 1040, 2480, 2720, 3120 and 3344: the places above in bytes
 *       (v128.store offset=1040 (local.get $at) (v128.xor (local.get $block) (v128.load offset=1040 (local.get $at))))
 *       (local.set $at (i32.add (local.get $at) (i32.const 16)))
 *       (br_if $next (i32.lt_u (local.get $at) (local.get $end)))))
 *   (func (export "foldWords") ;; as fold, with i32 for v128, 4 for 16, and the offsets 260, 620, 680, 780 and 836
 * ```
 */
const program =
  'AGFzbQEAAAABBgFgAn9/AAMDAgAABQMBAAIHHQMGbWVtb3J5AgAEZm9sZAAACWZvbGRXb3JkcwABCuEBAncBAXsDQCAA/QAEACECIAAgAiAA/QAEkAj9Uf0LBJAIIAAgAiAA/QAEsBP9Uf0LBLATIAAgAiAA/QAEoBX9Uf0LBKAVIAAgAiAA/QAEsBj9Uf0LBLAYIAAgAiAA/QAEkBr9Uf0LBJAaIABBEGohACAAIAFJDQALC2cBAX8DQCAAKAIAIQIgACACIAAoAoQCczYChAIgACACIAAoAuwEczYC7AQgACACIAAoAqgFczYCqAUgACACIAAoAowGczYCjAYgACACIAAoAsQGczYCxAYgAEEEaiEAIAAgAUkNAAsL'

/** Shortens long chunks to a few that have the same checksum. */
export class Crc32cFold {
  readonly #program: Pick<FoldExports, 'fold' | 'foldWords'>
  readonly #bytes: Uint8Array
  readonly #words: Int32Array

  private constructor({ memory, ...program }: FoldExports) {
    this.#program = program
    this.#bytes = new Uint8Array(memory.buffer)
    this.#words = new Int32Array(memory.buffer)
  }

  /** Undefined where WebAssembly or its SIMD is missing. */
  static make(): Crc32cFold | undefined {
    if (typeof WebAssembly === 'undefined') return undefined
    try {
      const module = new WebAssembly.Module(Buffer.from(program, 'base64'))
      return new Crc32cFold(new WebAssembly.Instance(module).exports as FoldExports)
    } catch {
      return undefined
    }
  }

  /** How many bytes `fold` takes of so many, which are enough for it. */
  static lengthOf(bytes: number): number {
    return Math.min(bytes - (bytes % blockBytes), memoryBytes)
  }

  /**
   * Words whose checksum, begun with 0, is that of the chunk, begun with `crc`; valid until the next call. The chunk's length
   * is one that `lengthOf` gives.
   */
  fold(crc: number, chunk: Uint8Array): Int32Array {
    this.#bytes.set(chunk)
    this.#words[0] = crc ^ (this.#words[0] as number)
    const blocksEnd = chunk.length - span * blockBytes
    // One word more than the span: tables take two words at a time.
    const wordsEnd = chunk.length - (span + 1) * wordBytes
    this.#program.fold(0, blocksEnd)
    this.#program.foldWords(blocksEnd, wordsEnd)
    return this.#words.subarray(wordsEnd / wordBytes, chunk.length / wordBytes)
  }
}
