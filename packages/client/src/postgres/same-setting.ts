/** Values with a name of earlier versions that PostgreSQL still takes. Source: wal_level_options in xlog.c. */
const olderNames: ReadonlyMap<string, string> = new Map([
  ['wal_level hot_standby', 'replica'],
  ['wal_level archive', 'replica'],
])

/** Whether a setting has the same value by two texts, of which one may be an older name of the other. */
export function isSameSetting(name: string, one: string | undefined, other: string | undefined): boolean {
  return one === other || (one !== undefined && other !== undefined && today(name, one) === today(name, other))
}

function today(name: string, value: string): string {
  return olderNames.get(`${name} ${value}`.toLowerCase()) ?? value
}
