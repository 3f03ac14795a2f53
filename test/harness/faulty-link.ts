import { connect, createServer, type Server, type Socket } from 'node:net'
import { LinkedConnection } from './linked-connection.js'

/** A forwarder between a pool and one server: its bytes can be held, its connections cut, and another server put behind it. */
export class FaultyLink {
  readonly #server: Server
  readonly #connections = new Set<LinkedConnection>()
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
  /** Called before each piece that the pool sends. */
  asked: (bytes: Buffer, connection: LinkedConnection) => void = () => {}

  get port(): number {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the link listens nowhere')
    return address.port
  }

  /** Those that are open. */
  get connections(): Iterable<LinkedConnection> {
    return this.#connections
  }

  /** Connections are reset, new ones as well. */
  cut(): void {
    this.#isCut = true
    this.breakAll()
  }

  /** Connections are reset; new ones are let through. */
  breakAll(): void {
    for (const connection of this.#connections) connection.break()
  }

  /** No byte passes in either direction, and nobody is told. */
  hold(): void {
    this.#isHeld = true
    for (const { sockets } of this.#connections) for (const socket of sockets) socket.pause()
  }

  mend(): void {
    this.#isCut = false
    this.#isHeld = false
    for (const { sockets } of this.#connections) for (const socket of sockets) socket.resume()
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
    const connection = new LinkedConnection(outer, inner)
    this.#connections.add(connection)
    outer.on('data', (bytes: Buffer) => this.asked(bytes, connection))
    outer.on('close', () => this.#connections.delete(connection))
    connection.carry((bytes) => this.alter(bytes))
    if (this.#isHeld) for (const socket of connection.sockets) socket.pause()
  }
}
