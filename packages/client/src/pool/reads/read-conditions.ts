import { nowMs } from '../../base/clock.js'
import type { ReplayDelay } from '../../routing/balance/replay-delay.js'
import type { Floor } from '../../routing/consistency/floor.js'
import type { Conditions } from '../../routing/route.js'
import type { NodeConnections } from '../connections/node-connections.js'
import type { PoolScope } from '../sessions/scopes.js'
import type { FloorSight } from './floor-sight.js'

/** What of the pool's options the choice of a server heeds. */
export type ReadOptions = Pick<Conditions, 'maxLagMs' | 'whenPrimaryAway'> & { readonly sticky: boolean }

export type Measured = {
  readonly nodeOf: (address: string) => NodeConnections | undefined
  readonly sight: FloorSight
  readonly delay: ReplayDelay
  /** How many statements went to a node. */
  readonly sentTo: (address: string) => number
}

/** Statements for one idle node before the next one's turn. */
const inARow = 8

/** What the decision on a read rests on: the pool's options, and what it measures. */
export class ReadConditions {
  readonly #options: ReadOptions
  readonly #measured: Measured

  constructor(options: ReadOptions, measured: Measured) {
    this.#options = options
    this.#measured = measured
  }

  /** @param budgetMs Milliseconds that the read may still wait for a replica. */
  of(scope: PoolScope, excluded: ReadonlySet<string>, budgetMs: number): Conditions {
    const { maxLagMs, whenPrimaryAway, sticky } = this.#options
    return {
      excluded,
      budgetMs,
      maxLagMs,
      whenPrimaryAway,
      sticky: sticky ? scope.lastNode : undefined,
      inFlight: this.#inFlight,
      satisfies: this.#satisfies,
      expectedWaitMs: this.#expectedWaitMs,
    }
  }

  /**
   * With the statements of before as a fraction, so that of two idle nodes the one that has done less is next; some in a row, since a
   * server that has just answered answers sooner.
   */
  readonly #inFlight = (address: string): number =>
    (this.#measured.nodeOf(address)?.inFlight ?? 0) + Math.floor(this.#measured.sentTo(address) / inARow) * 1e-12

  readonly #satisfies: Conditions['satisfies'] = (node, floor) => this.#measured.sight.satisfies(node, floor)

  readonly #expectedWaitMs = (address: string, floor: Floor): number => {
    const { delay } = this.#measured
    if (floor.kind === 'pending') return delay.delayMs(address, nowMs())
    if (floor.kind !== 'at') return 0
    let waitMs = 0
    for (const { lsn } of floor.positions) waitMs = Math.max(waitMs, delay.expectedWaitMs(address, lsn, nowMs()))
    return waitMs
  }
}
