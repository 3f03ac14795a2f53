/** Where the line begins that holds the offset. */
export function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1
}

/** Behind the line end of the line that holds the offset; the end of the text for the last line. */
export function lineEnd(text: string, offset: number): number {
  const at = text.indexOf('\n', offset)
  return at === -1 ? text.length : at + 1
}

/** As the text ends its lines. */
export function lineEnding(text: string): '\r\n' | '\n' {
  return /\r\n/.test(text) ? '\r\n' : '\n'
}

/** Behind the comment lines that follow the offset at once, and are indented by `least` or more. */
export function skipComments(text: string, offset: number, least: number): number {
  let at = offset
  for (;;) {
    const end = lineEnd(text, at)
    const indent = /^([ \t]*)#/.exec(text.slice(at, end))?.[1]?.length
    if (indent === undefined || indent < least) return at
    at = end
  }
}

/** The beginning of the blank lines before a line; the offset itself when there are none. */
export function blankStart(text: string, offset: number): number {
  let at = offset
  while (at > 0 && text.slice(lineStart(text, at - 1), at).trim() === '') at = lineStart(text, at - 1)
  return at
}

export function hasBlankLine(lines: string): boolean {
  return /(?:^|\n)[ \t]*\r?\n/.test(lines)
}
