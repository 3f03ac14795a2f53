import { MaestraError } from '@maestra/client/base/error'

/** What is watched: both figures stand still when nothing comes and nothing is left to write. */
export type Flow = {
  /** Bytes that have arrived. */
  readonly receivedBytes: () => number
  /** Bytes that wait to be written: while there are some, the disk is what takes its time. */
  readonly pendingBytes: () => number
}

/**
 * Calls `onStall` once when data has begun to come and then none has for so long. Before the first byte there is no limit:
 * the server makes a checkpoint first, which may take its time. Returns what ends the watch.
 */
export function watchForStall(flow: Flow, stallMs: number, onStall: (error: MaestraError) => void): () => void {
  let seenBytes = 0
  let since = performance.now()
  const timer = setInterval(
    () => {
      const received = flow.receivedBytes()
      if (received !== seenBytes || received === 0 || flow.pendingBytes() > 0) {
        seenBytes = received
        since = performance.now()
      } else if (performance.now() - since >= stallMs) {
        clearInterval(timer)
        onStall(stalled(received, stallMs))
      }
    },
    Math.min(1000, stallMs / 2),
  )
  return () => clearInterval(timer)
}

function stalled(received: number, stallMs: number): MaestraError {
  return new MaestraError(
    'deadline-passed',
    `waited ${stallMs} ms for more of the base backup; last seen: ${received} bytes had arrived`,
    { hint: 'does the primary hang, or the network? then: maestra apply' },
  )
}
