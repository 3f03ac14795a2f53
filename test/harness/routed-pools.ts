import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import { Pool, type PoolOptions, type PoolStatistics } from '../../packages/client/src/index.js'
import type { Sandbox } from '../../packages/maestra/src/index.js'
import { poolUrl } from './pool-url.js'

/** What a pool did while something ran on it. */
export type Traces<T> = {
  readonly value: T
  /** Statements by the role of the server that answered them. */
  readonly on: Readonly<Record<string, number>>
  readonly reasons: Readonly<Record<string, number>>
  readonly retries: number
  readonly observed: PoolStatistics['observed']
  readonly parked: Omit<PoolStatistics['parked'], 'now'>
}

/** Pools on the servers of a sandbox; `close` ends all. */
export class RoutedPools {
  readonly #sandbox: () => Sandbox
  readonly #opened: Pool[] = []

  constructor(sandbox: () => Sandbox) {
    this.#sandbox = sandbox
  }

  /** Made, and nothing more: it opens no connection before its first statement. */
  make(options: PoolOptions = {}): Pool {
    const where = options.host === undefined ? { connectionString: poolUrl(this.#sandbox().nodes) } : {}
    const pool = new Pool({ ...where, ...options })
    this.#opened.push(pool)
    return pool
  }

  /** One that knows its servers and the names of the database: it proves reads, and each replica has answered one. */
  async open(options: PoolOptions = {}): Promise<Pool> {
    const pool = this.make(options)
    await untilRouting(pool, 'select count(*) from pg_catalog.pg_class', this.#sandbox().replicas.length)
    return pool
  }

  async close(): Promise<void> {
    await Promise.all(this.#opened.splice(0).map((pool) => (pool.ending ? undefined : pool.end())))
  }
}

/** Runs a read until so many replicas have answered one. */
async function untilRouting(pool: Pool, read: string, replicas: number): Promise<void> {
  await waitUntil(
    async () => {
      await pool.query(read)
      const used = pool.stats().nodes.filter(({ role, statements }) => role === 'replica' && statements > 0)
      if (used.length >= replicas) return { done: true, value: undefined }
      return { done: false, seen: JSON.stringify(pool.stats()) }
    },
    { awaited: `reads on ${replicas} replicas`, deadline: Deadline.after(20_000), everyMs: 5 },
  )
}

/** Waits for a state that comes by itself. */
export async function untilSeen(
  awaited: string,
  look: () => unknown,
  isThere: (seen: never) => boolean,
): Promise<void> {
  await waitUntil(
    async () => {
      const seen = await look()
      return isThere(seen as never) ? { done: true, value: undefined } : { done: false, seen: JSON.stringify(seen) }
    },
    { awaited, deadline: Deadline.after(20_000), everyMs: 5 },
  )
}

/** Runs something, and tells where the pool's statements went meanwhile. */
export async function tracesOf<T>(pool: Pool, work: () => Promise<T>): Promise<Traces<T>> {
  const before = pool.stats()
  const value = await work()
  const after = pool.stats()
  const on: Record<string, number> = {}
  for (const { address, role, statements } of after.nodes) {
    const more = statements - (before.nodes.find((node) => node.address === address)?.statements ?? 0)
    if (more !== 0) on[role] = (on[role] ?? 0) + more
  }
  const reasons: Record<string, number> = {}
  for (const [reason, count] of Object.entries(after.byReason)) {
    const more = count - (before.byReason[reason as keyof typeof before.byReason] ?? 0)
    if (more !== 0) reasons[reason] = more
  }
  return {
    value,
    on,
    reasons,
    retries: after.retries - before.retries,
    observed: {
      asked: after.observed.asked - before.observed.asked,
      refused: after.observed.refused - before.observed.refused,
    },
    parked: {
      total: after.parked.total - before.parked.total,
      expired: after.parked.expired - before.parked.expired,
      waitedMs: after.parked.waitedMs - before.parked.waitedMs,
    },
  }
}
