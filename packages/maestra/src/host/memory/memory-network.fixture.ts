import type { HostNetwork } from '../host.js'

const firstPort = 49_152

/** Addresses and ports in memory. A port is taken while a process in memory listens on it. */
export class MemoryNetwork implements HostNetwork {
  readonly #own: readonly string[]
  readonly #taken: ReadonlyMap<number, unknown>
  readonly #turn: () => Promise<void>
  #given = 0

  /** `own`: addresses and names beside those of the loopback. */
  constructor(options: {
    readonly own: readonly string[]
    readonly taken: ReadonlyMap<number, unknown>
    readonly turn: () => Promise<void>
  }) {
    this.#own = options.own
    this.#taken = options.taken
    this.#turn = options.turn
  }

  async isOwnAddress(address: string): Promise<boolean> {
    await this.#turn()
    return this.#isOwn(address)
  }

  async canListen(address: string, port: number) {
    await this.#turn()
    const everywhere = ['0.0.0.0', '::'].includes(address)
    if (!everywhere && !this.#isOwn(address)) {
      const reason = `listen EADDRNOTAVAIL: address not available ${address}:${port}`
      return { free: false, reason } as const
    }
    if (this.#taken.has(port)) return { free: false, reason: 'another program listens there' } as const
    return { free: true } as const
  }

  async freePort(): Promise<number> {
    await this.#turn()
    do this.#given += 1
    while (this.#taken.has(firstPort + this.#given))
    return firstPort + this.#given
  }

  #isOwn(address: string): boolean {
    return address === 'localhost' || address === '::1' || address.startsWith('127.') || this.#own.includes(address)
  }
}
