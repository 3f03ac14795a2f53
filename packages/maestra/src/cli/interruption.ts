import { constants } from 'node:os'
import { MaestraError } from '@maestra/client/base/error'

/** Ctrl-C below npm arrives twice, from the terminal and from npm: within this time, in ms, it is one. */
const repeatMs = 500

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Asks the running command to stop at the first signal, and ends the process at the second. */
export function interruptions(): {
  readonly signal: AbortSignal
  /** Has signals change nothing, neither for the command nor for the process. */
  leave(): void
  stopListening(): void
} {
  const controller = new AbortController()
  let firstAt: number | undefined
  let left = false
  const onSignal = (name: (typeof signals)[number]) => {
    if (left) return
    const now = performance.now()
    if (firstAt === undefined) {
      firstAt = now
      controller.abort(new MaestraError('interrupted', `stopped by ${name}`))
    } else if (now - firstAt > repeatMs) {
      process.exit(128 + constants.signals[name])
    }
  }
  for (const name of signals) process.on(name, onSignal)
  return {
    signal: controller.signal,
    leave: () => {
      left = true
    },
    stopListening: () => {
      for (const name of signals) process.off(name, onSignal)
    },
  }
}
