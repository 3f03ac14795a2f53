import { formatHbaLine, type HbaLine } from '@maestra/client/postgres/hba'

/** How Maestra's block of pg_hba.conf differs from the declared lines; in it the order counts. */
export function hbaDifferences(declared: readonly HbaLine[], block: string | undefined): readonly string[] {
  const wanted = declared.map(formatHbaLine)
  if (block === undefined) return wanted.length === 0 ? [] : ['pg_hba.conf has no block of Maestra']
  const found = block.split('\n').filter((line) => line.trim() !== '')
  const lacks = wanted.filter((line) => !found.includes(line)).map((line) => `pg_hba.conf lacks "${line}"`)
  const more = found.filter((line) => !wanted.includes(line)).map((line) => `pg_hba.conf has "${line}" too much`)
  if (lacks.length + more.length > 0) return [...lacks, ...more]
  return found.join('\n') === wanted.join('\n') ? [] : ['pg_hba.conf has the lines of Maestra in another order']
}
