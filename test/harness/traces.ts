import type { Pool, PoolStatistics } from '../../packages/client/src/index.js'

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
