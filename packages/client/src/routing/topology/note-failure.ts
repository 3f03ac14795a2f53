import { change, type Draft, nodeOf } from './draft.js'
import type { TopologyInput } from './topology-input.js'

const firstRetryMs = 200
/** With the deadline of a probe it stays below the 10 s within which a node that is well again has to be back. */
const mostRetryMs = 5000

/** A probe failed: the node is ejected until one succeeds. */
export function noteFailure(draft: Draft, input: TopologyInput & { kind: 'failed' }, nowMs: number): void {
  const { address, hung, error, random } = input
  const node = nodeOf(draft, address)
  if (node === undefined) return
  const failures = (node.ejected?.failures ?? 0) + 1
  const backoffMs = Math.min(mostRetryMs, firstRetryMs * 2 ** Math.min(failures - 1, 10))
  const reason = hung ? 'hung' : 'failed'
  change(draft, address, {
    answers: false,
    ejected: {
      reason,
      sinceMs: node.ejected?.sinceMs ?? nowMs,
      failures,
      retryAtMs: nowMs + backoffMs * (0.5 + random / 2),
    },
    connection: 0,
    replayed: undefined,
    received: undefined,
    written: undefined,
    lastError: error,
  })
  if (node.ejected === undefined) draft.events.push({ kind: 'node-ejected', address, reason, error })
}

/**
 * The watching connection broke: positions seen over it may be gone with a crash. Whether the node is well, the next probe
 * tells.
 */
export function noteLoss(draft: Draft, { address, connection, error }: TopologyInput & { kind: 'lost' }): void {
  const node = nodeOf(draft, address)
  if (node === undefined || node.connection !== connection) return
  change(draft, address, {
    answers: false,
    connection: 0,
    replayed: undefined,
    received: undefined,
    written: undefined,
    lastError: error,
  })
  draft.askAgain.add(address)
  // Who was promoted, if it was the primary, is worth knowing at once.
  if (draft.primary === address) for (const each of draft.nodes.keys()) draft.askAgain.add(each)
}
