import { MaestraError, messageOf } from '@maestra/client/base/error'
import type { Terminal } from '../terminal.js'

/**
 * `Error:` with what is wrong, `Try:` with what to do. Other errors than ours are faults of Maestra: they show their
 * stack.
 */
export function errorView(error: unknown, to: Terminal): string {
  if (error instanceof MaestraError) {
    const hint = error.hint === undefined ? '' : `${to.colour('cyan', 'Try:')} ${error.hint}\n`
    return `${to.colour('red', 'Error:')} ${error.message}\n${hint}`
  }
  const stack = error instanceof Error && error.stack !== undefined ? error.stack : messageOf(error)
  return `${to.colour('red', 'Error:')} this is a fault of Maestra: ${stack}\n`
}
