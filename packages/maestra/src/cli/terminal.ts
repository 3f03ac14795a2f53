import { styleText } from 'node:util'

type Format = Parameters<typeof styleText>[0]

/** Where a view is written: whether a person reads it as it appears, and how it is coloured. */
export type Terminal = {
  readonly isTty: boolean
  readonly columns: number
  /** The text as it is where colours are not wanted: off a terminal, or with NO_COLOR. */
  colour(format: Format, text: string): string
}

export function terminal(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv = process.env): Terminal {
  const isTty = stream.isTTY === true
  const coloured = isTty && !env['NO_COLOR'] && env['TERM'] !== 'dumb'
  return {
    isTty,
    columns: stream.columns || 80,
    colour: (format, text) => (coloured ? styleText(format, text) : text),
  }
}

/**
 * No terminal at all: for text that is compared or written to a file.
 * @internal
 */
export const plain: Terminal = { isTty: false, columns: 80, colour: (_format, text) => text }
