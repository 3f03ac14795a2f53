import { Socket, type SocketConstructorOpts, type TcpSocketConnectOpts } from 'node:net'

/** Reads until somebody brings memory go here; small enough to stay in a core's cache. */
const memoryBytes = 64 * 1024

/** Brings the memory that a socket reads into. */
export interface ByteReader {
  /** Where the next bytes are to be put, which come with the next call of `took`. Never empty. */
  room(): Buffer
  /** So many bytes lie at the beginning of the room. */
  took(bytes: number): void
  /** Bytes that lie elsewhere, in memory that is used again when it returns. */
  push(chunk: Buffer): void
}

/**
 * A socket that reads into memory which it is told to read into. Node.js gives each read new memory, which costs page faults and
 * collections when much comes. As long as nobody called `lendTo`, listeners of 'data' get copies that they may keep.
 */
export class LendingSocket extends Socket {
  readonly #own = Buffer.allocUnsafeSlow(memoryBytes)
  #reader: ByteReader | undefined
  #room: Buffer | undefined

  private constructor(options: SocketConstructorOpts) {
    super(options)
  }

  static make(): LendingSocket {
    // It is called for the first time when the socket connects.
    const options: SocketConstructorOpts & Pick<TcpSocketConnectOpts, 'onread'> = {
      onread: {
        buffer: () => socket.#nextRoom(),
        callback: (bytes, memory) => {
          socket.#read(bytes, memory)
          return true
        },
      },
    }
    const socket = new LendingSocket(options)
    return socket
  }

  /** What comes from now on goes to the reader; there are no more events of 'data'. */
  lendTo(reader: ByteReader): void {
    this.#reader = reader
  }

  #nextRoom(): Buffer {
    this.#room = this.#reader?.room()
    return this.#room ?? this.#own
  }

  #read(bytes: number, memory: Uint8Array): void {
    const chunk = (): Buffer => Buffer.from(memory.buffer, memory.byteOffset, bytes)
    if (this.#reader === undefined) this.emit('data', Buffer.from(chunk()))
    else if (memory === this.#room) this.#reader.took(bytes)
    // The read that was under way when it came.
    else this.#reader.push(chunk())
  }
}
