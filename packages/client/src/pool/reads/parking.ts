import { nowMs } from '../../base/clock.js'
import { FirstLook } from '../../routing/balance/first-look.js'
import type { Floor } from '../../routing/consistency/floor.js'
import type { Satisfaction } from '../../routing/topology/satisfies.js'
import { pause } from './pause.js'

type Parked = {
  readonly floor: Floor
  /** When the position that it waits for was read on the primary. */
  readonly writtenAtMs: number
  readonly told: (outcome: ParkOutcome) => void
  readonly timer: NodeJS.Timeout
  wasLooked: boolean
  isOver: boolean
}
/** Who waits for one node; a new list with each look, which those whose budget is over leave. */
type Waiting = { parked: Parked[] }

/** `satisfied`: the replica has it. `expired`: not within the budget. `gone`: the replica is none any more, or does not answer. */
export type ParkOutcome = 'satisfied' | 'expired' | 'gone'

/** Between an answer and the next question. */
const pauseMs = 1

/**
 * Reads that wait for a replica (rule R5): one question for all who wait for the same node, on a connection of its own, and none
 * while nobody waits; the first one when the replica should have what they wait for. A loop inside the server would hold a snapshot,
 * and stop the very replay that it waits for.
 */
export class Parking {
  readonly #askPosition: (address: string) => Promise<unknown>
  readonly #satisfies: (address: string, floor: Floor) => Satisfaction
  readonly #writtenAtMs: (floor: Floor) => number
  readonly #pause: (ms: number) => Promise<void>
  readonly #waiting = new Map<string, Waiting>()
  readonly #polled = new Set<string>()
  readonly #firstLook = new FirstLook()
  readonly #due = new Map<string, { readonly atMs: number; readonly told: (() => void)[] }>()
  readonly #lastLook = new Map<string, number>()

  constructor(options: {
    /** Asks a node how far it has replayed; when it resolves, `satisfies` knows. */
    readonly askPosition: (address: string) => Promise<unknown>
    readonly satisfies: (address: string, floor: Floor) => Satisfaction
    /** When what the floor asks for was read on the primary, by the process's own clock. */
    readonly writtenAtMs: (floor: Floor) => number
    readonly pause?: (ms: number) => Promise<void>
  }) {
    this.#askPosition = options.askPosition
    this.#satisfies = options.satisfies
    this.#writtenAtMs = options.writtenAtMs
    this.#pause = options.pause ?? pause
  }

  get count(): number {
    let count = 0
    for (const { parked } of this.#waiting.values()) for (const { isOver } of parked) count += isOver ? 0 : 1
    return count
  }

  /** Calls back once, with how many milliseconds it took. */
  park(address: string, floor: Floor, budgetMs: number, told: (outcome: ParkOutcome, waitedMs: number) => void): void {
    const waiting = this.#waiting.get(address) ?? { parked: [] }
    this.#waiting.set(address, waiting)
    const since = nowMs()
    const parked: Parked = {
      floor,
      writtenAtMs: this.#writtenAtMs(floor),
      told: (outcome) => {
        clearTimeout(parked.timer)
        parked.isOver = true
        told(outcome, nowMs() - since)
      },
      timer: setTimeout(() => parked.told('expired'), budgetMs),
      wasLooked: false,
      isOver: false,
    }
    waiting.parked.push(parked)
    if (!this.#polled.has(address)) void this.#poll(address, waiting)
  }

  /** Whether the replica should have it by now. */
  isDue(address: string, floor: Floor): boolean {
    return this.#firstDueAtMs(address, floor) <= nowMs()
  }

  /** Calls back once, when the replica should have it, or the budget is over: all who wait for the same at once. */
  whenDue(address: string, floor: Floor, budgetMs: number, told: (waitedMs: number) => void): void {
    const since = nowMs()
    const dueAtMs = Math.min(this.#firstDueAtMs(address, floor), since + budgetMs)
    const before = this.#due.get(address)
    if (before !== undefined && before.atMs >= dueAtMs) {
      before.told.push(() => told(nowMs() - since))
      return
    }
    const due = { atMs: dueAtMs, told: [() => told(nowMs() - since)] }
    this.#due.set(address, due)
    void this.#pause(dueAtMs - since).then(() => {
      if (this.#due.get(address) === due) this.#due.delete(address)
      for (const each of due.told) each()
    })
  }

  /** A read has asked a replica in its own flight, with the look of that number. Whether that is news: many may share one look. */
  looked(address: string, look: number, wasThere: boolean): boolean {
    if ((this.#lastLook.get(address) ?? 0) >= look) return false
    this.#lastLook.set(address, look)
    this.#firstLook.looked(address, wasThere)
    return true
  }

  #firstDueAtMs(address: string, floor: Floor): number {
    return this.#writtenAtMs(floor) + this.#firstLook.afterMs(address)
  }

  async #poll(address: string, waiting: Waiting): Promise<void> {
    this.#polled.add(address)
    let answeredAtMs = Number.NEGATIVE_INFINITY
    while (waiting.parked.length > 0) {
      await this.#pause(Math.max(answeredAtMs + pauseMs, this.#dueAtMs(address, waiting)) - nowMs())
      const askedAtMs = nowMs()
      const answered = await this.#askPosition(address).then(
        () => true,
        () => false,
      )
      answeredAtMs = nowMs()
      this.#tell(address, waiting, askedAtMs, answered)
    }
    this.#polled.delete(address)
  }

  /** When the first one of them should find what it waits for; at once where a look found that it does not. */
  #dueAtMs(address: string, { parked }: Waiting): number {
    const afterMs = this.#firstLook.afterMs(address)
    let dueAtMs = Number.POSITIVE_INFINITY
    for (const { wasLooked, writtenAtMs } of parked) {
      dueAtMs = Math.min(dueAtMs, wasLooked ? Number.NEGATIVE_INFINITY : writtenAtMs + afterMs)
    }
    return dueAtMs
  }

  #tell(address: string, waiting: Waiting, askedAtMs: number, answered: boolean): void {
    const looked = waiting.parked
    const dueBy = askedAtMs - this.#firstLook.afterMs(address)
    waiting.parked = []
    let found: boolean | undefined
    for (const parked of looked) {
      if (parked.isOver) continue
      const satisfaction = answered ? this.#satisfies(address, parked.floor) : 'no'
      if (satisfaction === 'yes') {
        if (parked.wasLooked) this.#firstLook.found(address, askedAtMs - parked.writtenAtMs)
        else if (parked.writtenAtMs <= dueBy) found ??= true
        parked.told('satisfied')
      } else if (satisfaction === 'not-yet') {
        if (!parked.wasLooked && parked.writtenAtMs <= dueBy) {
          parked.wasLooked = true
          found = false
        }
        waiting.parked.push(parked)
      } else parked.told('gone')
    }
    // One look is one piece of news, however many wait for it.
    if (found !== undefined) this.#firstLook.looked(address, found)
  }
}
