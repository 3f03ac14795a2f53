import type { SourcePlace } from './finding.js'

/** The text of a file that can say where an offset lies. Lines end in LF or CRLF. */
export class SourceText {
  readonly file: string
  readonly text: string
  readonly #lineStarts: readonly number[]

  constructor(text: string, file: string) {
    this.text = text
    this.file = file
    const starts = [0]
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
    this.#lineStarts = starts
  }

  /** The place of an offset; one beyond the end is the end. */
  place(offset: number): SourcePlace {
    const at = Math.max(0, Math.min(offset, this.text.length))
    let low = 0
    let high = this.#lineStarts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#lineStarts[middle] ?? 0) <= at) low = middle
      else high = middle - 1
    }
    const start = this.#lineStarts[low] ?? 0
    const end = this.#lineStarts[low + 1] ?? this.text.length + 1
    const text = this.text.slice(start, end - 1).replace(/\r$/, '')
    return { file: this.file, line: low + 1, column: at - start + 1, text: printable(text) }
  }
}

/**
 * The line is shown on terminals, which must not obey what stands in it. Each character stays one, so that columns
 * stay true.
 */
function printable(line: string): string {
  return line.replace(/[^\P{Cc}\t]/gu, '\ufffd')
}
