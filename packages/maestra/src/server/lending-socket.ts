import { Socket, type SocketConstructorOpts, type TcpSocketConnectOpts } from 'node:net'

/** Small enough to stay in a core's cache, where the bytes are read again at once. */
const memoryBytes = 256 * 1024

/**
 * A socket that reads into the same memory again and again. Node.js gives each read new memory, which costs page faults and
 * collections when much comes. As long as nobody called `lend`, listeners of 'data' get copies that they may keep.
 */
export class LendingSocket extends Socket {
  #lends = false

  private constructor(options: SocketConstructorOpts) {
    super(options)
  }

  static make(): LendingSocket {
    const onread = {
      buffer: Buffer.allocUnsafeSlow(memoryBytes),
      callback: (bytes: number, memory: Uint8Array): boolean => {
        socket.#read(Buffer.from(memory.buffer, memory.byteOffset, bytes))
        return true
      },
    }
    const options: SocketConstructorOpts & Pick<TcpSocketConnectOpts, 'onread'> = { onread }
    const socket = new LendingSocket(options)
    return socket
  }

  /** From now on what listeners of 'data' get is theirs until they return. */
  lend(): void {
    this.#lends = true
  }

  #read(chunk: Buffer): void {
    this.emit('data', this.#lends ? chunk : Buffer.from(chunk))
  }
}
