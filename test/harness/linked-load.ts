import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import { Pool, type RoutingEvent } from '../../packages/client/src/index.js'
import { CheckedLoad } from './checked-load.js'
import type { LinkedServers, Which } from './linked-servers.js'
import { sql } from './sql.js'

const rows = 8

/** A pool through the links of servers, with writers and readers that never stop, and what it tells. */
export class LinkedLoad {
  readonly pool: Pool
  readonly load: CheckedLoad
  readonly events: RoutingEvent[] = []
  readonly #servers: LinkedServers

  private constructor(servers: LinkedServers) {
    this.#servers = servers
    this.pool = new Pool({ connectionString: servers.url, max: 6 })
    for (const kind of ['node-ejected', 'node-back', 'writes-uncertain', 'writes-lost', 'primary-away'] as const) {
      this.pool.on(kind, (event) => void this.events.push(event))
    }
    this.load = new CheckedLoad(
      this.pool,
      Array.from({ length: rows }, (_, id) => id + 1),
    )
  }

  /** Begins, and resolves when all three servers are used. */
  static async begin(servers: LinkedServers): Promise<LinkedLoad> {
    const [{ url }] = servers.nodes
    await sql(url, 'truncate counter')
    await sql(url, `insert into counter select id, 0 from generate_series(1, ${rows}) id`)
    const begun = new LinkedLoad(servers)
    for (const which of [0, 1, 2] as const) await begun.untilInService(which)
    return begun
  }

  /** Until statements reach it, within the time that it has to be back in. */
  async untilInService(which: Which): Promise<void> {
    const address = this.#servers.addressOf(which)
    const look = () => this.pool.stats().nodes.find((node) => node.address === address)
    const before = look()?.statements ?? 0
    await waitUntil(
      () => {
        const node = look()
        const isUsed = (node?.statements ?? 0) > before && node?.ejected === undefined
        return isUsed ? { done: true, value: undefined } : { done: false, seen: JSON.stringify(node) }
      },
      { awaited: `statements on ${address}`, deadline: Deadline.after(10_000) },
    )
  }

  async untilEvent(kind: RoutingEvent['kind'], isMeant = (_: RoutingEvent) => true): Promise<void> {
    await waitUntil(
      () => {
        const isThere = this.events.some((event) => event.kind === kind && isMeant(event))
        return isThere ? { done: true, value: undefined } : { done: false, seen: JSON.stringify(this.events) }
      },
      { awaited: `event ${kind}`, deadline: Deadline.after(20_000) },
    )
  }

  async untilEjected(which: Which): Promise<void> {
    const address = this.#servers.addressOf(which)
    await this.untilEvent('node-ejected', (event) => event.kind === 'node-ejected' && event.address === address)
  }

  /** What must be empty in the end: reads that were stale, and such as failed. */
  get harmed() {
    const { stale, failedReads } = this.load
    return { stale, failedReads }
  }

  async end(): Promise<void> {
    await this.load.stop()
    await this.pool.end()
  }
}

/** Of `harmed`, when nothing was. */
export const unharmed = { stale: [], failedReads: [] }
