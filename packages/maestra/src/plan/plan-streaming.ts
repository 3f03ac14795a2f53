import { addressOf, slotName } from '../cluster/declared-cluster.js'
import type { RunningServer } from '../cluster/observation.js'
import type { ClusterView, NodeView } from './cluster-view.js'
import { type Draft, harmless, join, nothing, refused, steps } from './draft.js'
import { psqlCommand } from './psql-command.js'

/** Has a standby stream from the declared primary; `configuration` is what is planned for its files. */
export function planStreaming(view: ClusterView, standby: NodeView, configuration: Draft): Draft {
  const { server } = standby.observed
  if (server.kind !== 'up') return awaited(view, standby)
  const other = otherSource(view, standby, server)
  if (other === undefined && configuration.steps.length === 0) return nothing
  if (server.replayPaused) return paused(standby)
  const isStale = other !== undefined && server.walReceiver?.status === 'streaming' && configuration.steps.length === 0
  return join([isStale ? reloaded(standby, other) : nothing, awaited(view, standby, other)])
}

/** Once more behind something that interrupted it, or that it has to have replayed. */
export function awaitAgain(view: ClusterView, standby: NodeView): Draft {
  const { server } = standby.observed
  return server.kind === 'up' && server.replayPaused ? paused(standby) : awaited(view, standby)
}

/**
 * Words for what a standby does instead of streaming from the declared primary through its own slot; undefined when
 * it does that.
 */
function otherSource(view: ClusterView, standby: NodeView, server: RunningServer): string | undefined {
  const { host, port } = addressOf(view.primary.declared, standby.declared)
  const slot = slotName(standby.declared.name)
  const receiver = server.walReceiver
  if (receiver === undefined) return 'it runs and does not stream: it has no WAL receiver'
  if (receiver.status !== 'streaming') return `it runs and does not stream: its WAL receiver is ${receiver.status}`
  if (receiver.host !== host || receiver.port !== port) return `it streams from ${receiver.host}:${receiver.port}`
  if (receiver.slot !== slot) return `it streams through ${receiver.slot ?? 'no slot'} instead of the slot ${slot}`
  return undefined
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
  const from = view.primary.declared.name
  const done = `done when it streams and has replayed what ${from} has by then`
  return steps({
    kind: 'await-streaming',
    node: standby.declared.name,
    from,
    why: seen === undefined ? done : `${seen}; ${done}`,
    ...harmless,
  })
}

/** Waiting for a standby that does not replay would only run into the deadline. */
function paused(standby: NodeView): Draft {
  return refused(
    standby.declared.name,
    'its replay is paused, so it cannot catch up',
    `look into its log first: where it says "insufficient parameter settings", give it the values of its primary; else go on: ${psqlCommand(standby.declared, 'select pg_wal_replay_resume()')}`,
  )
}
