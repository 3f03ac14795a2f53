/** Left-aligned columns, two spaces apart; numbers are given as text. `width` measures a cell without its colours. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => width(row[column] ?? ''))))
  return rows
    .map((row) => row.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - width(cell))).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('')
}

function width(cell: string): number {
  return stripColours(cell).length
}

const escapeCharacter = String.fromCharCode(27)

/** The text without the sequences that colour it. */
export function stripColours(text: string): string {
  return text.split(new RegExp(`${escapeCharacter}\\[[0-9;]*m`)).join('')
}
