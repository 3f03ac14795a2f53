import { type PrimaryIncarnation, samePrimary } from './primary-incarnation.js'

/**
 * The connections to the primary that have not broken since they were opened. Each is a witness that the server did not crash
 * since then; the oldest one vouches for the most.
 */
export class Witnesses {
  readonly #all = new Map<number, PrimaryIncarnation>()
  #incarnation: PrimaryIncarnation | undefined
  #oldest = Number.POSITIVE_INFINITY

  /** The number of the oldest one to the primary; Infinity when there is none. */
  get oldest(): number {
    return this.#oldest
  }

  has(connection: number): boolean {
    return samePrimary(this.#all.get(connection), this.#incarnation)
  }

  incarnationOf(connection: number): PrimaryIncarnation | undefined {
    return this.#all.get(connection)
  }

  opened(connection: number, incarnation: PrimaryIncarnation): void {
    this.#all.set(connection, incarnation)
    this.#oldest = this.#oldestBut()
  }

  lost(connection: number): void {
    if (!this.#all.delete(connection)) return
    if (connection === this.#oldest) this.#oldest = this.#oldestBut()
  }

  of(incarnation: PrimaryIncarnation): void {
    this.#incarnation = incarnation
    this.#oldest = this.#oldestBut()
  }

  /** The oldest one when that connection is gone. */
  oldestWithout(connection: number): number {
    return connection === this.#oldest ? this.#oldestBut(connection) : this.#oldest
  }

  #oldestBut(without?: number): number {
    let oldest = Number.POSITIVE_INFINITY
    for (const [connection, incarnation] of this.#all) {
      if (connection === without || connection >= oldest || !samePrimary(incarnation, this.#incarnation)) continue
      oldest = connection
    }
    return oldest
  }
}
