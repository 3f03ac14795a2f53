import { stripColours } from './table.js'

/**
 * A text that takes the place of the one before. Lines that are longer than the terminal is wide take several rows of
 * it.
 */
export function liveView(write: (text: string) => void, columns: () => number): { show(text: string): void } {
  let shown = ''
  return {
    show: (text) => {
      const rows = rowsOf(shown, columns())
      write(shown === '' ? text : `\u001b[${rows}A\u001b[J${text}`)
      shown = text
    },
  }
}

function rowsOf(text: string, columns: number): number {
  const lines = text.split('\n').slice(0, -1)
  return lines.reduce((rows, line) => rows + Math.max(1, Math.ceil(stripColours(line).length / columns)), 0)
}
