import { once } from 'node:events'
import { createServer, connect as dial, type Server, type Socket } from 'node:net'

/** A standby's side and its primary's side of one connection. */
type Pair = { readonly near: Socket; readonly far: Socket; stale: boolean }

/**
 * Carries the bytes between a standby and its primary, on the loopback address alone. Cut, it reads from neither side and
 * closes neither, as a network does that loses every packet; mended, what was waiting flows on.
 */
export class Forwarder {
  readonly #port: number
  readonly #server: Server
  readonly #pairs = new Set<Pair>()
  /** Connections that came while it was cut. */
  readonly #waiting = new Set<Socket>()
  #target: number
  #isCut = false

  constructor(port: number, target: number) {
    this.#port = port
    this.#target = target
    // Half open: that one side has said all is carried over, too.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => this.#accept(near))
  }

  async listen(): Promise<void> {
    this.#server.listen({ host: '127.0.0.1', port: this.#port, exclusive: true })
    await once(this.#server, 'listening')
  }

  /** When it resolves nothing more arrives on either side. */
  async cut(): Promise<void> {
    this.#isCut = true
    for (const { near, far } of this.#pairs) {
      near.unpipe(far)
      far.unpipe(near)
    }
    await Promise.all([...this.#pairs].flatMap(({ near, far }) => [untilWritten(near), untilWritten(far)]))
  }

  mend(): void {
    if (!this.#isCut) return
    this.#isCut = false
    for (const pair of this.#pairs) {
      if (pair.stale || pair.near.destroyed || pair.far.destroyed) end(pair)
      else join(pair)
    }
    for (const near of this.#waiting) this.#open(near)
    this.#waiting.clear()
  }

  /** Connections go to another server from now on. Those that are open end; where it is cut, once it is mended. */
  retarget(port: number): void {
    if (port === this.#target) return
    this.#target = port
    for (const pair of this.#pairs) {
      pair.stale = true
      if (!this.#isCut) end(pair)
    }
  }

  #accept(near: Socket): void {
    near.on('error', () => {})
    if (this.#isCut) {
      this.#waiting.add(near)
      near.once('close', () => this.#waiting.delete(near))
    } else this.#open(near)
  }

  #open(near: Socket): void {
    const far = dial({ host: '127.0.0.1', port: this.#target, allowHalfOpen: true, noDelay: true })
    const pair: Pair = { near, far, stale: false }
    this.#pairs.add(pair)
    far.on('error', () => {})
    for (const socket of [near, far]) {
      socket.once('close', () => {
        // While it is cut neither side hears of the other.
        if (this.#isCut && !(near.destroyed && far.destroyed)) return
        this.#pairs.delete(pair)
        end(pair)
      })
    }
    join(pair)
  }
}

function join({ near, far }: Pair): void {
  near.pipe(far)
  far.pipe(near)
}

function end({ near, far }: Pair): void {
  near.destroy()
  far.destroy()
}

/** What was read before the cut is on its way; a side that takes no more of it is not waited for. */
async function untilWritten(socket: Socket): Promise<void> {
  if (socket.writableLength === 0 || socket.destroyed) return
  await once(socket, 'drain', { signal: AbortSignal.timeout(100) }).catch(() => {})
}
