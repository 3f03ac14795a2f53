import { badValue, quoted } from './bad-value.js'

/** The oldest and the newest major version that Maestra works with; 19 by its documentation. */
export const oldestMajor = 14
export const newestMajor = 19

/** The first number of a version: 18 of 18.4. */
export type ServerVersionMajor = number

export type ServerVersion = {
  readonly major: ServerVersionMajor
  /**
   * 4 of 18.4; 0 of a version without a second number, such as 19beta1. Before 10 the second number belongs to the
   * major version: 6 of 9.6.24.
   */
  readonly minor: number
  /** The version alone, without what a packager adds: 18.4, 19beta1, 18devel. */
  readonly text: string
}

const versionPattern =
  /^(?:[A-Za-z_]+ \(PostgreSQL\) )?((\d{1,4})(?:\.(\d{1,4}))?(?:\.\d{1,4})?(?:devel|alpha\d+|beta\d+|rc\d+)?)(?=$|[\s(+-])/

/**
 * The version of a server or of one of its programs: what `server_version` shows (`18.4 (Debian 18.4-1)`), what `postgres --version` prints, or what PG_VERSION holds.
 * Throws bad-value.
 */
export function parseServerVersion(text: string): ServerVersion {
  const [, version, major, minor] = versionPattern.exec(text.trim()) ?? []
  if (version === undefined) {
    throw badValue(
      `${quoted(text)} is not a version of PostgreSQL`,
      'A version looks like 18.4, 18.4 (Debian 18.4-1) or 19beta1.',
    )
  }
  return { major: Number(major), minor: Number(minor ?? 0), text: version }
}

/** The version behind `server_version_num`: 180004 is 18.4, 90624 is 9.6.24. Throws bad-value. */
export function serverVersionFromNumber(num: number): ServerVersion {
  if (!Number.isInteger(num) || num < 10000 || num > 9_999_999) {
    throw badValue(`${num} is not a version number of PostgreSQL`, 'server_version_num looks like 180004 for 18.4.')
  }
  const major = Math.floor(num / 10_000)
  if (major >= 10) return { major, minor: num % 10_000, text: `${major}.${num % 10_000}` }
  const minor = Math.floor(num / 100) % 100
  return { major, minor, text: `${major}.${minor}.${num % 100}` }
}

/** @public */
export function isSupportedMajor(major: ServerVersionMajor): boolean {
  return Number.isInteger(major) && major >= oldestMajor && major <= newestMajor
}

/** The major version that brought each feature, by PostgreSQL's release notes. */
const firstMajorWith = {
  /** The statement WAIT FOR LSN. */
  'wait-for-lsn': 19,
  /** `BASE_BACKUP (LABEL 'x', ...)` instead of `BASE_BACKUP LABEL 'x' ...`. */
  'backup-options-in-parentheses': 15,
  /** BASE_BACKUP answers with one COPY whose messages carry a type, instead of one COPY for each tablespace. */
  'backup-archive-messages': 15,
  /** The view pg_stat_recovery: replayed LSN and timeline in one read. */
  'pg-stat-recovery': 19,
  'idle-replication-slot-timeout': 18,
  'scram-iterations': 16,
  /** Slots with `failover`, and sync_replication_slots. */
  'failover-slots': 17,
} as const

export type Feature = keyof typeof firstMajorWith

export function supports(major: ServerVersionMajor, feature: Feature): boolean {
  return major >= firstMajorWith[feature]
}
