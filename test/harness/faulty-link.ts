import { connect, createServer, type Server, type Socket } from 'node:net'

type Pair = { readonly outer: Socket; readonly inner: Socket }

/** A forwarder between a pool and one server: its bytes can be held, its connections cut, and another server put behind it. */
export class FaultyLink {
  readonly #server: Server
  readonly #pairs = new Set<Pair>()
  #target: number
  #isCut = false
  #isHeld = false

  private constructor(server: Server, target: number) {
    this.#server = server
    this.#target = target
    server.on('connection', (outer) => this.#accept(outer))
  }

  static async to(target: { readonly port: number }): Promise<FaultyLink> {
    const server = createServer({ pauseOnConnect: true })
    const link = new FaultyLink(server, target.port)
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(0, '127.0.0.1', resolve)
    })
    return link
  }

  readonly host = '127.0.0.1'
  /** What becomes of each piece that the server sends. */
  alter: (bytes: Buffer) => Buffer = (bytes) => bytes

  get port(): number {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the link listens nowhere')
    return address.port
  }

  /** Connections are reset, new ones as well. */
  cut(): void {
    this.#isCut = true
    this.breakAll()
  }

  /** Connections are reset; new ones are let through. */
  breakAll(): void {
    for (const { outer, inner } of this.#pairs) {
      outer.resetAndDestroy()
      inner.destroy()
    }
  }

  /** No byte passes in either direction, and nobody is told. */
  hold(): void {
    this.#isHeld = true
    for (const { outer, inner } of this.#pairs) for (const socket of [outer, inner]) socket.pause()
  }

  mend(): void {
    this.#isCut = false
    this.#isHeld = false
    for (const { outer, inner } of this.#pairs) for (const socket of [outer, inner]) socket.resume()
  }

  /** New connections reach another server; those that are open stay where they are. */
  lead({ port }: { readonly port: number }): void {
    this.#target = port
  }

  async close(): Promise<void> {
    this.breakAll()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #accept(outer: Socket): void {
    if (this.#isCut) {
      outer.resetAndDestroy()
      return
    }
    const inner = connect(this.#target, '127.0.0.1')
    const pair = { outer, inner }
    this.#pairs.add(pair)
    const relay = (from: Socket, to: Socket) => {
      from.on('data', (bytes) => to.write(from === inner ? this.alter(bytes) : bytes))
      from.on('error', () => {})
      from.on('close', () => {
        this.#pairs.delete(pair)
        to.destroy()
      })
      if (this.#isHeld) from.pause()
      else from.resume()
    }
    relay(outer, inner)
    relay(inner, outer)
  }
}
