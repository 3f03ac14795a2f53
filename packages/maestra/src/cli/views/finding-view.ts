import type { Finding } from '../../cluster/finding.js'
import type { Terminal } from '../terminal.js'

/** Each finding with its file:line:column, the line, and a mark below the column. */
export function findingsView(findings: readonly Finding[], to: Terminal): string {
  return findings.map((finding) => findingView(finding, to)).join('')
}

function findingView({ severity, message, hint, place }: Finding, to: Terminal): string {
  const label = severity === 'error' ? to.colour('red', 'Error:') : to.colour('yellow', 'Warning:')
  const where = place === undefined ? '' : `${place.file}:${place.line}:${place.column}: `
  const advice = hint === undefined ? '' : `${to.colour('cyan', 'Try:')} ${hint}\n`
  return `${label} ${where}${message}\n${place === undefined ? '' : snippet(place)}${advice}`
}

/** Tabs stay tabs in the line of the mark, so that it stands below its column in any terminal. */
function snippet(place: NonNullable<Finding['place']>): string {
  const margin = `${place.line} | `
  const before = place.text.slice(0, place.column - 1).replace(/[^\t]/g, ' ')
  return `${margin}${place.text}\n${' '.repeat(margin.length - 2)}| ${before}^\n`
}
