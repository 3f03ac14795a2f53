import type { Duplex } from 'node:stream'
import { LendingSocket } from '../lending-socket.js'

/** Type and length (which counts itself) stand before the content of each message. */
const headerBytes = 5

/** The type of CopyData: d. */
const copyDataType = 0x64

/** Memory for a message that comes in more than one chunk; it grows to what is needed. */
const firstHeldBytes = 64 * 1024

/**
 * Stands between a socket and node-postgres' parser and takes CopyData messages out of the stream. The parser copies whatever
 * it is given to the end of what it keeps; here a message is handed on where it lies in the chunk, and only one that is cut by
 * the end of a chunk is put together.
 *
 * @internal Exported for its test.
 */
export class CopyDataTap {
  readonly #onCopyData: (content: Buffer) => void
  readonly #onOther: (messages: Buffer) => void
  /** The beginning of a message whose end has not come. */
  #held = Buffer.allocUnsafeSlow(firstHeldBytes)
  #heldBytes = 0

  /** The content is lent until the call returns; what else the server says is a copy, in whole messages. */
  constructor(onCopyData: (content: Buffer) => void, onOther: (messages: Buffer) => void) {
    this.#onCopyData = onCopyData
    this.#onOther = onOther
  }

  push(chunk: Buffer): void {
    let at = this.#heldBytes > 0 ? this.#completeHeld(chunk) : 0
    while (at < chunk.length) {
      const end = chunk.length - at < headerBytes ? Number.POSITIVE_INFINITY : at + messageBytes(chunk, at)
      if (end > chunk.length) {
        this.#hold(chunk, at, chunk.length)
        return
      }
      this.#hand(chunk, at, end)
      at = end
    }
  }

  /** Where in the chunk the message that was held ends. */
  #completeHeld(chunk: Buffer): number {
    let at = 0
    if (this.#heldBytes < headerBytes) {
      at = Math.min(headerBytes - this.#heldBytes, chunk.length)
      this.#hold(chunk, 0, at)
      if (this.#heldBytes < headerBytes) return at
    }
    const length = messageBytes(this.#held, 0)
    const end = Math.min(at + length - this.#heldBytes, chunk.length)
    this.#hold(chunk, at, end)
    if (this.#heldBytes === length) {
      this.#heldBytes = 0
      this.#hand(this.#held, 0, length)
    }
    return end
  }

  #hold(chunk: Buffer, from: number, to: number): void {
    const bytes = this.#heldBytes + to - from
    if (bytes > this.#held.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(bytes, 2 * this.#held.length))
      this.#held.copy(larger, 0, 0, this.#heldBytes)
      this.#held = larger
    }
    chunk.copy(this.#held, this.#heldBytes, from, to)
    this.#heldBytes = bytes
  }

  #hand(bytes: Buffer, from: number, to: number): void {
    if (bytes[from] === copyDataType) this.#onCopyData(bytes.subarray(from + headerBytes, to))
    else this.#onOther(Buffer.from(bytes.subarray(from, to)))
  }
}

function messageBytes(bytes: Buffer, at: number): number {
  return 1 + bytes.readUInt32BE(at + 1)
}

/**
 * Has the CopyData messages that come from here on handed over, past the parser that listens to the socket. To be called
 * between two answers of the server, when the parser holds no half of a message.
 */
export function tapCopyData(socket: Duplex, onCopyData: (content: Buffer) => void): void {
  const [parser, ...others] = socket.listeners('data') as ((chunk: Buffer) => void)[]
  // Not as in the node-postgres that this was made for: its parser emits the messages, too.
  if (parser === undefined || others.length > 0) return
  const tap = new CopyDataTap(onCopyData, parser)
  socket.off('data', parser)
  socket.on('data', (chunk: Buffer) => tap.push(chunk))
  if (socket instanceof LendingSocket) socket.lend()
}
