import { crc32cMemory } from '@maestra/client/postgres/crc32c'

/** What is waited for before the memory is used again. */
const segmentBytes = 1024 * 1024

/** One that is read into, one that is written, and one that was written and is not given back yet. */
const keptSegments = 3

/**
 * Memory that a copy is read into, and written from. A segment that is given back is used again, the last one first, which may
 * still be in the cache: in fresh memory each 4 KiB costs a page fault. When all are in use there are more.
 */
export class ReadSegments {
  readonly #free: Buffer[] = []

  constructor() {
    const memory = crc32cMemory(keptSegments * segmentBytes)
    for (let at = memory.length; at > 0; at -= segmentBytes) this.#free.push(memory.subarray(at - segmentBytes, at))
  }

  /** Of a MiB, or of twice as many bytes as have to fit when that is more. */
  take(bytes: number): Buffer {
    if (bytes > segmentBytes / 2) return Buffer.allocUnsafeSlow(2 * bytes)
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(segmentBytes)
  }

  give(segment: Buffer): void {
    if (segment.length === segmentBytes && this.#free.length < keptSegments) this.#free.push(segment)
  }
}
