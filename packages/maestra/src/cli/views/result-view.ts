import type { SqlResult } from '../../server/run-sql.js'
import { counted } from './plan-view.js'

/** Results in the manner of psql. */
export function resultsView(results: readonly SqlResult[]): string {
  return results.map(resultView).join('')
}

function resultView({ command, columns, rows, rowCount }: SqlResult): string {
  if (columns.length === 0) return `${command}${rowCount === null ? '' : ` ${rowCount}`}\n`
  const cells = rows.map((row) => row.map((value) => value ?? ''))
  const widths = columns.map((name, column) => Math.max(name.length, ...cells.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    ` ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')}`.trimEnd()
  const rule = widths.map((width) => '-'.repeat(width + 2)).join('+')
  return `${[line(columns), rule, ...cells.map(line)].join('\n')}\n(${counted(rows.length, 'row')})\n`
}

/** An array with one array of rows, as objects, for each statement. */
export function resultJson(results: readonly SqlResult[]): string {
  const described = results.map(({ columns, rows }) =>
    rows.map((row) => Object.fromEntries(columns.map((name, column) => [name, row[column] ?? null]))),
  )
  return `${JSON.stringify(described, null, 2)}\n`
}
