import { nowMs } from '../base/clock.js'
import type { Floor } from '../routing/consistency/floor.js'
import type { Satisfaction } from '../routing/topology/satisfies.js'

type Parked = {
  readonly floor: Floor
  readonly told: (outcome: ParkOutcome) => void
  readonly timer: NodeJS.Timeout
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
 * while nobody waits. A loop inside the server would hold a snapshot, and stop the very replay that it waits for.
 */
export class Parking {
  readonly #askPosition: (address: string) => Promise<unknown>
  readonly #satisfies: (address: string, floor: Floor) => Satisfaction
  readonly #waiting = new Map<string, Waiting>()
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
      told: (outcome) => {
        clearTimeout(parked.timer)
        parked.isOver = true
        told(outcome, nowMs() - since)
      },
      timer: setTimeout(() => parked.told('expired'), budgetMs),
      isOver: false,
    }
    waiting.parked.push(parked)
    if (!this.#polled.has(address)) void this.#poll(address, waiting)
  }

  async #poll(address: string, waiting: Waiting): Promise<void> {
    this.#polled.add(address)
    while (waiting.parked.length > 0) {
      const answered = await this.#askPosition(address).then(
        () => true,
        () => false,
      )
      const looked = waiting.parked
      waiting.parked = []
      for (const parked of looked) {
        if (parked.isOver) continue
        const satisfaction = answered ? this.#satisfies(address, parked.floor) : 'no'
        if (satisfaction === 'yes') parked.told('satisfied')
        else if (satisfaction === 'not-yet') waiting.parked.push(parked)
        else parked.told('gone')
      }
      if (waiting.parked.length > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs))
      waiting.parked = waiting.parked.filter(({ isOver }) => !isOver)
    }
    this.#polled.delete(address)
  }
}
