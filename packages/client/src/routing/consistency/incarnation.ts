import type { TimelineId } from '../../postgres/timeline.js'

/**
 * What a server says of itself when a connection opens. A crash restart changes none of it, so two equal ones are the same
 * life of a server only as long as a connection that looked has not broken (see the contract's word *incarnation*).
 */
export type Incarnation = {
  readonly systemIdentifier: bigint
  /** `pg_postmaster_start_time()` as one fixed form prints it; only compared for being equal. */
  readonly startedAt: string
  readonly timeline: TimelineId
}

export function sameIncarnation(one: Incarnation | undefined, other: Incarnation | undefined): boolean {
  if (one === undefined || other === undefined) return false
  return (
    one === other ||
    (one.startedAt === other.startedAt &&
      one.timeline === other.timeline &&
      one.systemIdentifier === other.systemIdentifier)
  )
}
