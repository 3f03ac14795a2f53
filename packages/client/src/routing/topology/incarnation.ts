/**
 * Which run of which server, as far as a server tells: a crash restart keeps both, so a position holds only while the
 * connection that saw it is unbroken too.
 */
export type Incarnation = {
  /** From pg_control_system(), decimal: the same on a primary and on all its replicas. */
  readonly systemIdentifier: string
  /** pg_postmaster_start_time() in UTC, to the microsecond. */
  readonly startedAt: string
}

export function sameIncarnation(a: Incarnation, b: Incarnation): boolean {
  return a.systemIdentifier === b.systemIdentifier && a.startedAt === b.startedAt
}

/** As a key of a map. */
export function incarnationKey({ systemIdentifier, startedAt }: Incarnation): string {
  return `${systemIdentifier} ${startedAt}`
}
