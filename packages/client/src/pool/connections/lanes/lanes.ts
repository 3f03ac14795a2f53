import type { NodeConnections } from '../node-connections.js'
import { Lane } from './lane.js'
import type { ReadCost } from './read-cost.js'
import type { Seat } from './seat.js'

/** More of them would have less to send at a time each, and it is that which saves. */
const mostLanes = 4
/** A lane with so much under way takes no more while there may be another one. Milliseconds. */
const mostWorkMs = 0.5
/** A read that is under way at two looks in a row holds up those behind it. Milliseconds. */
const lookMs = 10

export type Entered = (error: Error | undefined, seat: Seat | undefined) => void
type Waiting = { readonly cost: ReadCost; readonly entered: Entered }

/** The lanes of one replica. Each is a connection of its pool for as long as something is under way on it. */
export class Lanes {
  readonly #node: NodeConnections
  readonly #lanes: Lane[] = []
  #waiting: Waiting[] = []
  #isOpening = false
  #timer: NodeJS.Timeout | undefined

  constructor(node: NodeConnections) {
    this.#node = node
  }

  /** Calls back once; at once where there is a lane, which takes what is too much for it until there is another one. */
  enter(cost: ReadCost, entered: Entered): void {
    if (this.#isWanted) for (const each of this.#lanes) each.takeNoMore()
    const lane = this.#leastBusy()
    const isFull = lane === undefined || lane.workMs + cost.expectedMs > mostWorkMs
    // One that takes nobody any more may last: what it waits for is slow.
    if (isFull && (lane === undefined || this.#lanes.length < mostLanes) && !this.#isOpening) this.#open()
    if (lane !== undefined) entered(undefined, lane.enter(cost))
    else this.#waiting.push({ cost, entered })
  }

  /** Those who are in lanes are answered or asked elsewhere; nobody enters any more. */
  end(): void {
    for (const each of [...this.#lanes]) each.takeNoMore()
  }

  #open(): void {
    this.#isOpening = true
    this.#node.acquire((error, connection) => {
      this.#isOpening = false
      const waiting = this.#waiting
      this.#waiting = []
      if (connection === undefined) {
        for (const { entered } of waiting) entered(error, undefined)
        return
      }
      const lane = new Lane(connection, {
        emptied: () => this.#lanes.splice(this.#lanes.indexOf(lane), 1),
        queued: () => this.#watch(),
      })
      this.#lanes.push(lane)
      for (const { cost, entered } of waiting) entered(undefined, lane.enter(cost))
      lane.closeWhenEmpty()
    })
  }

  /** Whether others wait for a connection and there is none: a lane under steady load would never give its own back. */
  get #isWanted(): boolean {
    const { waitingCount, idleCount, totalCount, options } = this.#node.pool
    return waitingCount > 0 && idleCount === 0 && totalCount >= options.max && !this.#isOpening
  }

  #leastBusy(): Lane | undefined {
    let best: Lane | undefined
    for (const lane of this.#lanes) if (lane.isOpen && (best === undefined || lane.workMs < best.workMs)) best = lane
    return best
  }

  #watch(): void {
    if (this.#timer !== undefined) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      for (const lane of [...this.#lanes]) lane.freeStuck()
      if (this.#lanes.some(({ isQueued }) => isQueued)) this.#watch()
    }, lookMs)
    this.#timer.unref()
  }
}
