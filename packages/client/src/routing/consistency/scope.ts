import type { Doubt } from './doubt.js'
import type { Floor } from './floor.js'
import type { Consistency } from './level.js'
import { type Position, withPosition } from './position.js'
import type { ProvisionalGroup } from './provisional-group.js'
import type { Write } from './write.js'

const noFloor: Floor = { kind: 'none' }

/**
 * Whose writes a read has to see: those of the pool, of one session, of whoever carries a token. Its floor is kept until
 * something changes it, so that asking for it costs nothing. What changes it is `Commits` alone.
 */
export class Scope {
  /** The level of reads that do not say one. */
  readonly consistency: Consistency
  /** Known to be flushed, so fit to leave the process. One for each history, few. */
  #confirmed: readonly Position[]
  /** Acknowledged and not covered by a capture, oldest first. */
  readonly #pending: Write[] = []
  readonly #provisional = new Set<ProvisionalGroup>()
  readonly #doubts = new Set<Doubt>()
  /** Numbers at which the primary's own position was asked for, oldest first: strong reads, the pool's start, a NOTIFY. */
  #asked: readonly number[] = []
  #floor: Floor | undefined
  #wrote = false
  /** Up to which judgement of histories the confirmed positions were judged. */
  judged: number

  /** Only `Commits` makes scopes. */
  constructor(consistency: Consistency, confirmed: readonly Position[], judged: number) {
    this.consistency = consistency
    this.#confirmed = confirmed
    this.judged = judged
  }

  get floor(): Floor {
    this.#floor ??= this.#compute()
    return this.#floor
  }

  get confirmed(): readonly Position[] {
    return this.#confirmed
  }

  /** Whether the confirmed positions are all there is to know of this scope's writes. */
  get complete(): boolean {
    return (
      this.#pending.length === 0 && this.#asked.length === 0 && this.#provisional.size === 0 && this.#doubts.size === 0
    )
  }

  /** Whether it still waits for a position that it asked for. */
  get asks(): boolean {
    return this.#asked.length > 0
  }

  /** Whether anything was written in this scope: what it carries else is what it was opened with. */
  get wrote(): boolean {
    return this.#wrote
  }

  /** Whether a commit that was acknowledged up to that number still waits for its capture. */
  pendingUpTo(number: number): boolean {
    const oldest = this.#pending[0]?.acknowledged ?? Number.POSITIVE_INFINITY
    return Math.min(oldest, this.#asked[0] ?? Number.POSITIVE_INFINITY) <= number
  }

  /** The floor of a read that was issued at that number: younger commits are none of its business. */
  floorUpTo(number: number): Floor {
    return this.#doubts.size > 0 || this.pendingUpTo(number) ? this.floor : this.#settled()
  }

  ask(number: number): void {
    this.#asked = [...this.#asked, number]
    this.#floor = undefined
  }

  answer(sent: number): void {
    this.#asked = this.#asked.filter((number) => number >= sent)
    this.#floor = undefined
  }

  await(write: Write): void {
    this.#pending.push(write)
    this.#wrote = true
    this.#floor = undefined
  }

  noLongerAwait(write: Write): void {
    const at = this.#pending.indexOf(write)
    if (at >= 0) this.#pending.splice(at, 1)
    this.#floor = undefined
  }

  doubt(doubt: Doubt): void {
    this.#doubts.add(doubt)
    this.#wrote ||= doubt.writes.length > 0
    this.#floor = undefined
  }

  noLongerDoubt(doubt: Doubt): void {
    this.#doubts.delete(doubt)
    this.#floor = undefined
  }

  hold(group: ProvisionalGroup): void {
    this.#provisional.add(group)
    this.#floor = undefined
  }

  letGo(group: ProvisionalGroup): void {
    this.#provisional.delete(group)
    this.#floor = undefined
  }

  confirm(position: Position): void {
    this.replaceConfirmed(withPosition(this.#confirmed, position))
  }

  replaceConfirmed(positions: readonly Position[]): void {
    if (positions === this.#confirmed) return
    this.#confirmed = positions
    this.#floor = undefined
  }

  #compute(): Floor {
    if (this.#doubts.size > 0) {
      let lost = false
      for (const doubt of this.#doubts) lost ||= doubt.lost
      return { kind: 'uncertain', positions: this.#confirmed, lost }
    }
    const since = Math.max(this.#pending.at(-1)?.acknowledged ?? 0, this.#asked.at(-1) ?? 0)
    return since === 0 ? this.#settled() : { kind: 'pending', since, scope: this }
  }

  #settled(): Floor {
    let positions = this.#confirmed
    for (const group of this.#provisional) positions = withPosition(positions, group.position)
    if (positions.length === 0) return noFloor
    return { kind: 'at', positions, provisional: this.#provisional.size > 0 }
  }
}
