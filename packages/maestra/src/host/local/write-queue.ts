import { write } from 'node:fs'

/** Size of each buffer: bytes that are gathered before they are written in one call. */
export const bufferBytes = 1024 * 1024

/** Written buffers that are kept for the next write; in fresh memory each 4 KiB costs a page fault. */
const keptBuffers = 8

export type QueuedWrite = {
  readonly fd: number
  /** One of `takeBuffer`. */
  readonly buffer: Buffer
  /** Bytes of the buffer to write. */
  readonly length: number
  /** Where in the file, in bytes. */
  readonly position: number
  /** Called once, with the error if there was one; without when the write was dropped. */
  readonly done: (error: Error | undefined) => void
}

/**
 * Writes large buffers in the thread pool, so that the next one is filled meanwhile. One at a time: writes to the
 * same file take turns in the kernel anyway, and threads that wait there only burn the cores.
 */
export class WriteQueue {
  readonly #waiting: QueuedWrite[] = []
  readonly #free: Buffer[] = []
  #writing = false
  #pendingBytes = 0

  /** Bytes that were added and are neither written nor dropped. */
  get pendingBytes(): number {
    return this.#pendingBytes
  }

  takeBuffer(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(bufferBytes)
  }

  /** The buffer belongs to the queue from now on. */
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
    this.#writeFrom(queued, 0)
  }

  #writeFrom(queued: QueuedWrite, from: number): void {
    const { fd, buffer, length, position } = queued
    write(fd, buffer, from, length - from, position + from, (error, written) => {
      // A short write is how the kernel says that the disk is full; the next call has the error.
      if (!error && from + written < length) {
        this.#writeFrom(queued, from + written)
        return
      }
      this.#writing = false
      if (this.#free.length < keptBuffers) this.#free.push(buffer)
      this.#finish(queued, error ?? undefined)
      this.#next()
    })
  }

  #finish(queued: QueuedWrite, error: Error | undefined): void {
    this.#pendingBytes -= queued.length
    queued.done(error)
  }
}
