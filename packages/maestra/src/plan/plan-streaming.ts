import { type ClusterView, type NodeView, upstreamOf } from './cluster-view.js'
import { type Draft, harmless, join, nothing, steps } from './draft.js'
import { isHeldUp, whyLate } from './late-standby.js'
import { otherSource } from './other-source.js'
import { refusePaused, staysPaused } from './paused-standby.js'

/** Has a standby stream from the node that it is declared to follow; `configuration` is what is planned for its files. */
export function planStreaming(view: ClusterView, standby: NodeView, configuration: Draft): Draft {
  const { server } = standby.observed
  if (server.kind !== 'up') return awaited(view, standby)
  const other = otherSource(view, standby, server)
  if (other === undefined && configuration.steps.length === 0) return nothing
  if (staysPaused(view, standby)) return refusePaused(standby)
  if (configuration.steps.length === 0 && isHeldUp(view, standby)) return nothing
  const isStale = other !== undefined && server.walReceiver?.status === 'streaming' && configuration.steps.length === 0
  return join([isStale ? reloaded(standby, other) : nothing, awaited(view, standby, other)])
}

/** Once more behind something that interrupted it, or that it has to have replayed. */
export function awaitAgain(view: ClusterView, standby: NodeView): Draft {
  return staysPaused(view, standby) ? refusePaused(standby) : awaited(view, standby)
}

/** An apply that was killed between two steps leaves files that are right and a server that has not read them. */
function reloaded(standby: NodeView, seen: string): Draft {
  return steps({
    kind: 'reload',
    node: standby.declared.name,
    why: `${seen}, and its files say otherwise`,
    ...harmless,
  })
}

function awaited(view: ClusterView, standby: NodeView, seen?: string): Draft {
  const late = whyLate(view, standby)
  const done =
    late === undefined
      ? `done when it streams and has replayed what ${view.primary.declared.name} has by then`
      : `done when it streams, or waits for a delay; ${late}`
  return steps({
    kind: 'await-streaming',
    node: standby.declared.name,
    from: upstreamOf(view, standby).declared.name,
    ...(late === undefined ? {} : { late: true }),
    why: seen === undefined ? done : `${seen}; ${done}`,
    ...harmless,
  })
}
