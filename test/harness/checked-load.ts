import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import type { Pool } from '../../packages/client/src/index.js'
import type { StaleRead } from './counters.js'

/** Writers of one row each that read it back at once, until they are stopped; what a fault did to them is written down. */
export class CheckedLoad {
  readonly stale: StaleRead[] = []
  readonly failedReads: string[] = []
  readonly failedWrites: string[] = []
  reads = 0
  readonly #pool: Pool
  readonly #loops: Promise<void>[]
  #isStopping = false

  /** `ids` are rows of counterTable that nobody else writes. */
  constructor(pool: Pool, ids: readonly number[]) {
    this.#pool = pool
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
    for (let next = 1; !this.#isStopping; next += 1) {
      try {
        await this.#pool.query('update counter set value = $2 where id = $1', [id, next])
        acknowledged = next
      } catch (error) {
        this.failedWrites.push(String(error))
      }
      try {
        const { rows } = await this.#pool.query('select value from counter where id = $1', [id])
        const seen = rows[0]?.value
        if (!(seen >= acknowledged)) this.stale.push({ id, acknowledged, seen })
      } catch (error) {
        this.failedReads.push(String(error))
      }
      this.reads += 1
    }
  }
}
