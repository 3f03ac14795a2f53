import type { Socket } from 'node:net'

/** What a server says when a statement in autocommit has ended: the session is idle. */
export const readyForQuery = Buffer.from([0x5a, 0, 0, 0, 5, 0x49])

/** One connection through a link. */
export class LinkedConnection {
  readonly #outer: Socket
  readonly #inner: Socket
  #held: Buffer[] | undefined
  #last: Buffer | undefined
  #hasEnded = false

  constructor(outer: Socket, inner: Socket) {
    this.#outer = outer
    this.#inner = inner
  }

  get sockets(): readonly [Socket, Socket] {
    return [this.#outer, this.#inner]
  }

  /** @param alter What becomes of each piece that the server sends. */
  carry(alter: (bytes: Buffer) => Buffer): void {
    const [outer, inner] = this.sockets
    outer.on('data', (bytes) => inner.write(bytes))
    outer.on('close', () => inner.destroy())
    inner.on('data', (bytes) => this.#answered(alter(bytes)))
    inner.on('close', () => this.#ended())
    for (const socket of this.sockets) {
      socket.on('error', () => {})
      socket.resume()
    }
  }

  /** From here on what the server says waits, its goodbye as well; what is said to it passes. */
  holdAnswers(): void {
    this.#held ??= []
  }

  /** The same behind the next of these bytes. They must come in one piece, as what a server says at once does. */
  holdBehind(last: Buffer): void {
    this.#last = last
  }

  /** How much the server has said since. */
  get heldBytes(): number {
    return (this.#held ?? []).reduce((sum, { length }) => sum + length, 0)
  }

  letGo(): void {
    const held = this.#held ?? []
    this.#held = undefined
    this.#last = undefined
    for (const bytes of held) this.#outer.write(bytes)
    if (this.#hasEnded) this.#outer.end()
  }

  /** Whoever has opened it hears of a reset, the server of an end; what was held is lost. */
  break(): void {
    this.#outer.resetAndDestroy()
    this.#inner.destroy()
  }

  #answered(bytes: Buffer): void {
    if (this.#held !== undefined) this.#held.push(bytes)
    else if (this.#last !== undefined && bytes.includes(this.#last)) this.#hold(bytes, this.#last)
    else this.#outer.write(bytes)
  }

  #hold(bytes: Buffer, last: Buffer): void {
    const end = bytes.indexOf(last) + last.length
    this.#outer.write(bytes.subarray(0, end))
    this.#held = [bytes.subarray(end)]
  }

  #ended(): void {
    this.#hasEnded = true
    if (this.#held === undefined) this.#outer.destroy()
  }
}
