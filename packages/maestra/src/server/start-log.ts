/**
 * Where the output of a server goes until its own logging is set up: beside the data directory, so that no copy takes
 * it along.
 */
export function startLogOf(data: string): string {
  return `${data}.log`
}

const reasons = [
  // What PostgreSQL says of itself when it ends.
  /\b(FATAL|PANIC|ERROR|HINT|DETAIL): /,
  // The cause is often a LOG line above it.
  /\bLOG: +(invalid value|could not|unrecognized|syntax error|parameter )/,
  // Before it can log, and when the loader of programs cannot run it.
  /^\S*postgres: /,
]

/** At most this many lines are worth a place in an error. */
const linesShown = 4

/** The lines of a server's log that say why it ended, joined to one. */
export function lastWords(log: string): string {
  const lines = log.trim().split('\n')
  const telling = lines.filter((line) => reasons.some((reason) => reason.test(line)))
  return (telling.length > 0 ? telling : lines)
    .slice(-linesShown)
    .map((line) => line.replace(/^.*?\b(FATAL|PANIC|ERROR|HINT|DETAIL|LOG): +/, '$1: ').trim())
    .join('; ')
}
