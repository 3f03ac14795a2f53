import { change, type Draft, nodeOf } from './draft.js'
import { SeenPosition } from './log-position.js'
import { noteFurther } from './note-lineage.js'
import type { Progress } from './server-state.js'
import type { TopologyInput } from './topology-input.js'

/** How far a server has come, seen over the connection that probed it before. */
export function noteProgress(draft: Draft, input: TopologyInput & { kind: 'progressed' }, nowMs: number): void {
  const { address, connection, progress } = input
  const node = nodeOf(draft, address)
  if (node === undefined || node.connection !== connection || node.inRecovery === undefined) return
  if (node.inRecovery !== progress.inRecovery) {
    // It was promoted. Which history it writes now only a probe tells.
    change(draft, address, { replayed: undefined, received: undefined })
    draft.askAgain.add(address)
    return
  }
  change(draft, address, { answers: true, lastAnswerAtMs: nowMs, ...positionsOf(input, node.pooler) })
  if (!progress.inRecovery && node.lineage !== undefined) noteFurther(draft, node.lineage, progress)
}

/** The fields of a node that say how far it has come. None behind a pooler: the next answer may be of another server. */
export function positionsOf(
  { progress, sent, received }: { readonly progress: Progress; readonly sent: number; readonly received: number },
  pooler: boolean,
) {
  const look = { at: sent, before: received }
  if (pooler) return { replayed: undefined, received: undefined, written: undefined }
  if (!progress.inRecovery) {
    const { inserted, flushed } = progress
    return {
      replayed: undefined,
      received: undefined,
      written: { inserted: new SeenPosition(inserted), flushed: new SeenPosition(flushed), ...look },
    }
  }
  return {
    replayed: progress.replayed === undefined ? undefined : { lsn: new SeenPosition(progress.replayed), ...look },
    received: progress.received === undefined ? undefined : new SeenPosition(progress.received),
    written: undefined,
    timeline: progress.receivedTimeline,
  }
}
