import { setMaxListeners } from 'node:events'
import { withOutcome } from './outcome.js'
import type { QueryCall, QueryCallback } from './query-arguments.js'

/** As Node.js itself rejects what a signal has ended: an AbortError, with the signal's reason as its cause. */
export function abortError(signal: AbortSignal): Error {
  const error = new Error('the statement was aborted', { cause: signal.reason })
  return Object.assign(error, { name: 'AbortError', code: 'ABORT_ERR' })
}

/**
 * Tells at once when the signal ends a statement that was not sent yet, wherever it waits. One that was sent is cancelled on
 * its server by whoever sent it; its outcome goes with the error.
 */
export function abortable(call: QueryCall, told: QueryCallback): QueryCallback {
  const { signal } = call.options
  if (signal === undefined) return told
  let isOver = false
  const end: QueryCallback = (error, result) => {
    if (isOver) return
    isOver = true
    signal.removeEventListener('abort', aborted)
    if (error === undefined || !signal.aborted) return told(error, result)
    const { outcome } = error as { outcome?: 'not-started' }
    const instead = abortError(signal)
    told(outcome === undefined ? instead : withOutcome(instead, outcome), undefined)
  }
  const aborted = () => {
    if (!call.isSent) end(withOutcome(abortError(signal), 'not-started'), undefined)
  }
  if (signal.aborted) process.nextTick(aborted)
  else {
    // One signal may be that of all statements of a request; Node.js would warn of the eleventh.
    setMaxListeners(0, signal)
    signal.addEventListener('abort', aborted)
  }
  return end
}
