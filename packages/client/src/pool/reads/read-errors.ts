import { codeOf, messageOf } from '../../base/error.js'
import { isServerGone } from '../servers/primary.js'

/** Where a read that failed is asked again (rule R7). */
export type Again = 'elsewhere' | 'on-primary' | 'no'

/** Of DDL that a standby has not replayed yet: undefined table, column, function, object. */
const notYetThere = new Set(['42P01', '42703', '42883', '42704'])

/**
 * What a proven read in autocommit, of which nothing was delivered, may do after an error. `57014` is the user's own cancel or
 * timeout, and everything else is what the statement deserves on any server.
 */
export function againAfter(error: unknown, wasReplica: boolean): Again {
  const code = codeOf(error)
  if (isServerGone(error) || code === '53300') return 'elsewhere'
  if (!wasReplica || code === undefined) return 'no'
  // A recovery conflict: the replica had to remove what the snapshot still needed.
  if (code === '40001' || code === '57P04') return 'elsewhere'
  return isWriteRefused(error) || notYetThere.has(code) ? 'on-primary' : 'no'
}

/** What a standby says of a statement that only a primary can run. */
export function isWriteRefused(error: unknown): boolean {
  const code = codeOf(error)
  return code === '25006' || (code === '0A000' && /recovery|standby/.test(messageOf(error)))
}
