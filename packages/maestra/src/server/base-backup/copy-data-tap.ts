import type { Duplex } from 'node:stream'
import { type ByteReader, LendingSocket } from '../lending-socket.js'
import { ReadSegments } from './read-segments.js'

/** Type and length (which counts itself) stand before the content of each message. */
const headerBytes = 5

/** The type of CopyData: d. */
const copyDataType = 0x64

/** For less room a segment is not read into any more; a message that is cut then is copied to the next one. */
const leastRoomBytes = 32 * 1024

/** More is not read at once, so that it is still in a core's cache when it is summed up: two messages of a server. */
const mostRoomBytes = 64 * 1024

export type CopyDataTapOptions = {
  /** The content stays where it is until `settled`. */
  readonly onCopyData: (content: Buffer) => void
  /** What else the server says: a copy, in whole messages. */
  readonly onOther: (messages: Buffer) => void
  /** Resolves when all content that was handed over before the call is not needed any more. */
  readonly settled: () => Promise<void>
}

/**
 * Stands between a socket and node-postgres' parser and takes CopyData messages out of the stream. The parser copies whatever
 * it is given to the end of what it keeps; here the socket reads into a segment of memory, and a message is handed on where it
 * lies. Only one that is cut by the end of a segment is copied.
 *
 * @internal Exported for its test.
 */
export class CopyDataTap implements ByteReader {
  readonly #options: CopyDataTapOptions
  readonly #segments = new ReadSegments()
  #segment = this.#segments.take(0)
  /** Bytes of the segment that were handed on, and that were read. */
  #handed = 0
  #filled = 0

  constructor(options: CopyDataTapOptions) {
    this.#options = options
  }

  room(): Buffer {
    if (this.#segment.length - this.#filled < leastRoomBytes) this.#turn()
    return this.#segment.subarray(this.#filled, Math.min(this.#filled + mostRoomBytes, this.#segment.length))
  }

  took(bytes: number): void {
    const segment = this.#segment
    this.#filled += bytes
    while (this.#filled - this.#handed >= headerBytes) {
      const end = this.#handed + 1 + segment.readUInt32BE(this.#handed + 1)
      if (end > this.#filled) return
      this.#hand(segment, this.#handed, end)
      this.#handed = end
    }
  }

  /** The same from memory of somebody else, which is copied. */
  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      const copied = chunk.copy(this.room(), 0, at)
      at += copied
      this.took(copied)
    }
  }

  #turn(): void {
    const full = this.#segment
    const left = this.#filled - this.#handed
    this.#segment = this.#segments.take(left)
    full.copy(this.#segment, 0, this.#handed, this.#filled)
    this.#handed = 0
    this.#filled = left
    void this.#options.settled().then(() => this.#segments.give(full))
  }

  #hand(bytes: Buffer, from: number, to: number): void {
    if (bytes[from] === copyDataType) this.#options.onCopyData(bytes.subarray(from + headerBytes, to))
    else this.#options.onOther(Buffer.from(bytes.subarray(from, to)))
  }
}

/**
 * Has the CopyData messages that come from here on handed over, past the parser that listens to the socket. To be called
 * between two answers of the server, when the parser holds no half of a message.
 */
export function tapCopyData(socket: Duplex, options: Omit<CopyDataTapOptions, 'onOther'>): void {
  const [parser, ...others] = socket.listeners('data') as ((chunk: Buffer) => void)[]
  // Not as in the node-postgres that this was made for: its parser emits the messages, too.
  if (parser === undefined || others.length > 0) return
  const tap = new CopyDataTap({ ...options, onOther: parser })
  socket.off('data', parser)
  if (socket instanceof LendingSocket) socket.lendTo(tap)
  else socket.on('data', (chunk: Buffer) => tap.push(chunk))
}
