import type { Doubt } from './doubt.js'
import { type PrimaryIncarnation, samePrimary } from './primary-incarnation.js'

/** All that is uncertain, and from when on a position of the primary ends it. */
export class Doubts {
  readonly #all = new Set<Doubt>()

  add(doubt: Doubt): void {
    this.#all.add(doubt)
    for (const scope of doubt.scopes) scope.doubt(doubt)
  }

  /** Whether a capture would end any of them. */
  get canEnd(): boolean {
    for (const { after } of this.#all) if (after < Number.POSITIVE_INFINITY) return true
    return false
  }

  /** Takes out those that a capture ends which was sent at that number. */
  takeEnded(sent: number): Doubt[] {
    const ended = [...this.#all].filter(({ after }) => after < sent)
    for (const doubt of ended) {
      this.#all.delete(doubt)
      for (const scope of doubt.scopes) scope.noLongerDoubt(doubt)
    }
    return ended
  }

  backendGone(connection: number, number: number): void {
    for (const doubt of this.#all) {
      if (doubt.unanswered?.connection === connection) doubt.after = Math.min(doubt.after, number)
    }
  }

  /** A backend that may still commit is that of another server from now on, unless it is that of this very primary. */
  primaryChanged(incarnation: PrimaryIncarnation, number: number): void {
    for (const doubt of this.#all) {
      const { unanswered } = doubt
      if (unanswered !== undefined && samePrimary(unanswered.incarnation, incarnation)) continue
      doubt.after = Math.min(doubt.after, number)
    }
  }
}
