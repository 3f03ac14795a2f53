import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import type { Pool } from '../../packages/client/src/index.js'
import type { StaleRead } from './counters.js'

/** Writers of one row each that read it back at once, until they are stopped; what a fault did to them is written down. */
export class CheckedLoad {
  readonly stale: StaleRead[] = []
  /** While no primary answered, of writes of which the pool has said that nobody knows where they are: rule T4 lets reads go on. */
  readonly missedWhileAway: StaleRead[] = []
  readonly failedReads: string[] = []
  readonly failedWrites: string[] = []
  reads = 0
  readonly #pool: Pool
  readonly #loops: Promise<void>[]
  #isStopping = false
  #isAway = false
  /** How often the primary was away, and writes became uncertain. */
  #aways = 0
  #doubts = 0

  /** `ids` are rows of counterTable that nobody else writes. */
  constructor(pool: Pool, ids: readonly number[]) {
    this.#pool = pool
    pool.on('primary-away', () => {
      this.#isAway = true
      this.#aways += 1
    })
    pool.on('primary-back', () => {
      this.#isAway = false
    })
    pool.on('writes-uncertain', () => {
      this.#doubts += 1
    })
    this.#loops = ids.map((id) => this.#loop(id))
  }

  /** Until so many more reads have ended. */
  async untilRead(more: number): Promise<void> {
    const wanted = this.reads + more
    await waitUntil(
      () => (this.reads >= wanted ? { done: true, value: undefined } : { done: false, seen: `${this.reads}` }),
      { awaited: `${wanted} reads`, deadline: Deadline.after(30_000) },
    )
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    await Promise.all(this.#loops)
  }

  async #loop(id: number): Promise<void> {
    let acknowledged = 0
    let doubts = 0
    for (let next = 1; !this.#isStopping; next += 1) {
      try {
        await this.#pool.query('update counter set value = $2 where id = $1', [id, next])
        acknowledged = next
        doubts = this.#doubts
      } catch (error) {
        this.failedWrites.push(String(error))
      }
      const [wasAway, aways] = [this.#isAway, this.#aways]
      try {
        const { rows } = await this.#pool.query('select value from counter where id = $1', [id])
        const seen = rows[0]?.value
        if (!(seen >= acknowledged)) {
          const isTold = (wasAway || this.#aways > aways) && this.#doubts > doubts
          const reads = isTold ? this.missedWhileAway : this.stale
          reads.push({ id, acknowledged, seen })
        }
      } catch (error) {
        this.failedReads.push(String(error))
      }
      this.reads += 1
    }
  }
}
