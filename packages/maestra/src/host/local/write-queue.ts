import { writev } from 'node:fs'

export type QueuedWrite = {
  readonly fd: number
  /** To be written one after the other, from where they lie. */
  readonly chunks: readonly Buffer[]
  /** Bytes of them all. */
  readonly length: number
  /** Where in the file, in bytes. */
  readonly position: number
  /** Called once, with the error if there was one; without when the write was dropped. */
  readonly done: (error: Error | undefined) => void
}

/**
 * Writes in the thread pool what was gathered, so that more is gathered meanwhile. One write at a time: those to the
 * same file take turns in the kernel anyway, and threads that wait there only burn the cores.
 */
export class WriteQueue {
  readonly #waiting: QueuedWrite[] = []
  #writing = false
  #pendingBytes = 0

  /** Bytes that were added and are neither written nor dropped. */
  get pendingBytes(): number {
    return this.#pendingBytes
  }

  add(queued: QueuedWrite): void {
    this.#pendingBytes += queued.length
    this.#waiting.push(queued)
    this.#next()
  }

  /** Gives up what has not begun. */
  drop(): void {
    for (const queued of this.#waiting.splice(0)) this.#finish(queued, undefined)
  }

  #next(): void {
    if (this.#writing) return
    const queued = this.#waiting.shift()
    if (!queued) return
    this.#writing = true
    this.#write(queued, queued.chunks, queued.position)
  }

  #write(queued: QueuedWrite, chunks: readonly Buffer[], position: number): void {
    writev(queued.fd, chunks, position, (error, written) => {
      // A short write is how the kernel says that the disk is full; the next call has the error.
      if (!error && position + written < queued.position + queued.length) {
        this.#write(queued, chunksAfter(chunks, written), position + written)
        return
      }
      this.#writing = false
      this.#finish(queued, error ?? undefined)
      this.#next()
    })
  }

  #finish(queued: QueuedWrite, error: Error | undefined): void {
    this.#pendingBytes -= queued.length
    queued.done(error)
  }
}

/** What of the chunks comes behind so many bytes. */
export function chunksAfter(chunks: readonly Buffer[], bytes: number): readonly Buffer[] {
  let left = bytes
  const first = chunks.findIndex((chunk) => {
    if (left < chunk.length) return true
    left -= chunk.length
    return false
  })
  return first === -1 ? [] : [(chunks[first] as Buffer).subarray(left), ...chunks.slice(first + 1)]
}
