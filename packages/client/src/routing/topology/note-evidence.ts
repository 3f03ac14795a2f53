import { change, type Draft, nodeOf } from './draft.js'
import { sameIncarnation } from './incarnation.js'
import { noteFurther } from './note-lineage.js'
import type { TopologyInput } from './topology-input.js'

/**
 * Errors after which a server may have another role, or be gone: read-only, shutdown and start-up, connection exceptions,
 * errors of sockets. They never eject: a node's own probe decides.
 */
const suspicious =
  /^(25006|57P0[1-3]|08\d{3}|ECONN\w+|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENOTFOUND|EAI_\w+)$/

export function noteEvidence(draft: Draft, input: TopologyInput & { kind: 'evidence' }, nowMs: number): void {
  const node = nodeOf(draft, input.address)
  if (node === undefined) return
  if ('code' in input) {
    if (!suspicious.test(input.code)) return
    draft.askAgain.add(input.address)
    // A primary that refuses writes or connections: another one may have been promoted.
    if (draft.primary === input.address) for (const each of draft.nodes.keys()) draft.askAgain.add(each)
    return
  }
  const { systemIdentifier, startedAt, timeline, lineage } = node
  if (draft.primary !== input.address || systemIdentifier === undefined || startedAt === undefined) return
  if (!sameIncarnation(input.wrote, { systemIdentifier, startedAt }) || input.wrote.timeline !== timeline) return
  change(draft, input.address, { lastAnswerAtMs: nowMs })
  // Not how far it was flushed: a look of the watch that was answered before may be heard later, and is no server that went back.
  if (lineage !== undefined) noteFurther(draft, lineage, { inserted: input.wrote.inserted })
}
