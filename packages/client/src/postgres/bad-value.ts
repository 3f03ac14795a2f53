import { MaestraError } from '../base/error.js'

/** The longest piece of a value that a message repeats. */
const shownLength = 80

/**
 * A value as messages show it: on one line, in double quotes, cut when long. Never call it with what may hold a
 * password.
 */
export function quoted(value: string): string {
  const head = value.length > shownLength ? `${value.slice(0, shownLength)}…` : value
  return JSON.stringify(head)
}

/** The error for a text that does not have the form that PostgreSQL gives it. */
export function badValue(message: string, hint: string): MaestraError {
  return new MaestraError('bad-value', message, { hint })
}

/** The error for a file of PostgreSQL that does not hold what its format says. */
export function damagedFile(message: string, hint: string): MaestraError {
  return new MaestraError('damaged-file', message, { hint })
}
