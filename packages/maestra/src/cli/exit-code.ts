import { MaestraError } from '@maestra/client/base/error'

/** What a command found, for scripts. */
export const exitCodes = { done: 0, failed: 1, badUsage: 2, differences: 3, interrupted: 130 } as const

/** The exit code that goes with an error. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof MaestraError)) return exitCodes.failed
  switch (error.code) {
    case 'interrupted':
      return exitCodes.interrupted
    case 'bad-usage':
    case 'bad-value':
    case 'cluster-file-invalid':
    case 'cluster-file-missing':
    case 'plan-file-invalid':
      return exitCodes.badUsage
    default:
      return exitCodes.failed
  }
}
