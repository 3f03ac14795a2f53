import type { Floor } from '../../routing/consistency/floor.js'
import type { Position } from '../../routing/consistency/position.js'

type Waiting = { readonly floor: Floor; readonly told: (unseen: readonly Position[]) => void }

/**
 * Positions beyond what this process has seen the primary write: a token of another process has one as a rule. The primary is asked
 * how far it is, one question for all who wait; what it has not written then either, nobody has (rule T1).
 */
export class UnseenPositions {
  readonly #isAhead: (position: Position) => boolean
  readonly #askPrimary: () => Promise<unknown>
  #waiting: Waiting[] = []
  #isAsking = false

  constructor(options: {
    /** Of a history that is known, and further than that was ever seen. */
    readonly isAhead: (position: Position) => boolean
    /** When it resolves, `isAhead` knows better. Rejects when the primary does not answer. */
    readonly askPrimary: () => Promise<unknown>
  }) {
    this.#isAhead = options.isAhead
    this.#askPrimary = options.askPrimary
  }

  /** Calls back at once when there is nothing to ask; else with the positions that the primary has not written. */
  look(floor: Floor, told: Waiting['told']): void {
    if (floor.kind !== 'at' || !floor.positions.some(this.#isAhead)) return told([])
    this.#waiting.push({ floor, told })
    if (!this.#isAsking) void this.#ask()
  }

  async #ask(): Promise<void> {
    this.#isAsking = true
    while (this.#waiting.length > 0) {
      // Who comes while the question is under way waits for the next one.
      const waiting = this.#waiting
      this.#waiting = []
      const answered = await this.#askPrimary().then(
        () => true,
        () => false,
      )
      for (const { floor, told } of waiting) {
        told(answered && floor.kind === 'at' ? floor.positions.filter(this.#isAhead) : [])
      }
    }
    this.#isAsking = false
  }
}
