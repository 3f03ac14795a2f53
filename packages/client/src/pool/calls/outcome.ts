import { codeOf } from '../../base/error.js'
import type { Statement } from '../../routing/statement/statement.js'

/**
 * What became of a statement whose promise rejects (rule W6). `unknown`: it may have been committed, whatever the error says.
 */
export type Outcome = 'not-started' | 'rolled-back' | 'unknown'

/** Adds `outcome` to an error of a statement that was no read. */
export function withOutcome<E extends Error>(error: E, outcome: Outcome): E & { outcome: Outcome } {
  return Object.assign(error, { outcome })
}

/** Whether the server itself said that the statement failed, and lives on: an ERROR, no FATAL, no broken connection. */
export function isServerError(error: unknown): boolean {
  const code = codeOf(error)
  if (code === undefined || !/^[0-9A-Z]{5}$/.test(code)) return false
  return (error as { severity?: string }).severity === 'ERROR'
}

/** Rule W1: whether a statement that was answered by an ERROR has certainly written nothing. */
export function leftNothing({ kind }: Statement): boolean {
  return kind === 'row-change' || kind === 'read'
}

/** What an error says of a statement in autocommit that was no read. */
export function outcomeOf(error: unknown, statement: Statement): Outcome {
  return isServerError(error) && leftNothing(statement) ? 'rolled-back' : 'unknown'
}
