import { nowMs } from '../base/clock.js'
import type { Floor } from '../routing/consistency/floor.js'
import type { Satisfaction } from '../routing/topology/satisfies.js'

type Parked = {
  readonly floor: Floor
  readonly since: number
  readonly told: (outcome: ParkOutcome) => void
  readonly timer: NodeJS.Timeout
}

/** `satisfied`: the replica has it. `expired`: not within the budget. `gone`: the replica is none any more, or does not answer. */
export type ParkOutcome = 'satisfied' | 'expired' | 'gone'

/** Between an answer and the next question. */
const pauseMs = 1

/**
 * Reads that wait for a replica (rule R5): one question for all who wait for the same node, on a connection of its own, and none
 * while nobody waits. A loop inside the server would hold a snapshot, and stop the very replay that it waits for.
 */
export class Parking {
  readonly #askPosition: (address: string) => Promise<unknown>
  readonly #satisfies: (address: string, floor: Floor) => Satisfaction
  readonly #parked = new Map<string, Set<Parked>>()
  readonly #polled = new Set<string>()

  constructor(options: {
    /** Asks a node how far it has replayed; when it resolves, `satisfies` knows. */
    readonly askPosition: (address: string) => Promise<unknown>
    readonly satisfies: (address: string, floor: Floor) => Satisfaction
  }) {
    this.#askPosition = options.askPosition
    this.#satisfies = options.satisfies
  }

  get count(): number {
    let count = 0
    for (const parked of this.#parked.values()) count += parked.size
    return count
  }

  /** Calls back once, with how many milliseconds it took. */
  park(address: string, floor: Floor, budgetMs: number, told: (outcome: ParkOutcome, waitedMs: number) => void): void {
    const waiting = this.#parked.get(address) ?? new Set()
    this.#parked.set(address, waiting)
    const since = nowMs()
    const parked: Parked = {
      floor,
      since,
      told: (outcome) => {
        clearTimeout(parked.timer)
        waiting.delete(parked)
        told(outcome, nowMs() - since)
      },
      timer: setTimeout(() => parked.told('expired'), budgetMs),
    }
    waiting.add(parked)
    if (!this.#polled.has(address)) void this.#poll(address, waiting)
  }

  async #poll(address: string, waiting: ReadonlySet<Parked>): Promise<void> {
    this.#polled.add(address)
    while (waiting.size > 0) {
      const answered = await this.#askPosition(address).then(
        () => true,
        () => false,
      )
      for (const parked of [...waiting]) {
        const satisfaction = answered ? this.#satisfies(address, parked.floor) : 'no'
        if (satisfaction === 'yes') parked.told('satisfied')
        else if (satisfaction !== 'not-yet') parked.told('gone')
      }
      if (waiting.size > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
    this.#polled.delete(address)
  }
}
