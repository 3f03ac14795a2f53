import { styleText } from 'node:util'
import type { Terminal } from '../terminal.js'

/** A terminal with colours, whatever the process that runs the tests writes to. */
export const coloured: Terminal = {
  isTty: true,
  columns: 40,
  colour: (format, text) => styleText(format, text, { validateStream: false }),
}
