/** So many of the first looks are to find what they look for: a look in vain costs a question, one that is late costs its wait. */
const aimedShare = 0.8
const step = 0.1
const leastMs = 0.02
const mostMs = 50
/** Where nobody has looked yet: what two servers of one network take. Milliseconds. */
const firstGuessMs = 0.2

/**
 * When to look for the first time whether a replica has replayed a position of the primary, in milliseconds since that was read. By
 * whether the looks before found it: a little later after one in vain, a little sooner after the others.
 */
export class FirstLook {
  readonly #afterMs = new Map<string, number>()

  afterMs(address: string): number {
    return this.#afterMs.get(address) ?? firstGuessMs
  }

  looked(address: string, wasThere: boolean): void {
    const factor = wasThere ? 1 - step * (1 - aimedShare) : 1 + step * aimedShare
    this.#afterMs.set(address, Math.min(mostMs, Math.max(leastMs, this.afterMs(address) * factor)))
  }

  /** A position that was not there at its first look was found at this age, so the looks before were far too early. */
  found(address: string, ageMs: number): void {
    const afterMs = this.afterMs(address)
    if (ageMs > 2 * afterMs + 1) this.#afterMs.set(address, Math.min(mostMs, (afterMs + ageMs) / 2))
  }
}
