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

/**
 * Rule R2: whether what was seen by the look with number `at` is true on a connection as well. The caller knows that this
 * connection has not broken since.
 * @public
 */
export function holdsOn(
  seen: Incarnation & { readonly at: number },
  connection: Incarnation & { readonly number: number },
): boolean {
  return connection.number < seen.at && sameIncarnation(seen, connection)
}

/** As a key of a map. */
export function incarnationKey({ systemIdentifier, startedAt }: Incarnation): string {
  return `${systemIdentifier} ${startedAt}`
}
