import type { DataDirectory } from '../cluster/observation.js'
import type { ClusterView, NodeView } from './cluster-view.js'
import { type Draft, nothing, refused, steps, stops, unknown } from './draft.js'
import { ownData } from './own-data.js'
import { checkDirectory } from './plan-directory.js'
import { cannotBeAsked, checkIdentity } from './plan-server.js'
import { stopCommand } from './stop-command.js'

/** What to do where the data of a node do not serve: in words that go on a sentence. */
export function replaceHint(name: string): string {
  return `have ${name} made anew, with its data kept aside: maestra apply --replace ${name}`
}

/**
 * Says why the data of a standby are not moved aside though somebody asked for it: they are those of a running server that
 * is no standby of this cluster, or of another node.
 */
export function checkReplaceable(view: ClusterView, standby: NodeView, directory: DataDirectory): Draft {
  const { name } = standby.declared
  const { process, server } = standby.observed
  const isOwn = ownData(standby, view.cluster.name) !== undefined
  if (!isOwn && directory.madeFor !== undefined) return checkDirectory(view, standby)
  if (process.kind === 'unknown') return unknown(name, `whether its server runs is unknown, because ${process.because}`)
  if (process.kind === 'none') return nothing
  const leads = server.kind === 'up' ? !server.inRecovery : !directory.standbySignal
  if (!isOwn || leads) {
    return refused(
      name,
      `its data are not moved aside, because a server that is no standby of this cluster runs on them (process ${process.pid})`,
      `stop it first, if it is the wrong one${stopCommand(process)}`,
    )
  }
  const other = checkIdentity(standby, directory)
  if (stops(other)) return other
  return server.kind === 'unreachable' ? cannotBeAsked(standby, server) : nothing
}

/** Has the data of a standby renamed, so that new data can take their place. Nothing deletes them afterwards. */
export function planMoveAside(
  standby: NodeView,
  directory: DataDirectory,
  { why, asked }: { readonly why: string; readonly asked: boolean },
): Draft {
  const { name, data } = standby.declared
  if (directory.fixed !== undefined) {
    return refused(
      name,
      `${why}; its data would have to be moved aside for a new copy, and ${data} ${directory.fixed}`,
      `stop it, move its data away yourself, and: maestra apply`,
    )
  }
  const runs = standby.observed.process.kind === 'running'
  return steps({
    kind: 'move-aside',
    node: name,
    data,
    asked,
    why: `${why}; ${runs ? 'it is stopped, and ' : ''}its data are kept as ${data}.before-<time in UTC>, which nothing deletes`,
    disruptive: runs,
    destructive: true,
  })
}

/** The cluster as it is when the data of these standbys are aside. */
export function viewWhenAside(view: ClusterView, moved: readonly NodeView[]): ClusterView {
  return { ...view, standbys: view.standbys.map((each) => (moved.includes(each) ? whenAside(each) : each)) }
}

/** A standby as it is when its data are aside. */
export function whenAside(standby: NodeView): NodeView {
  const { observed } = standby
  return {
    ...standby,
    observed: {
      ...observed,
      directory: { kind: 'absent' },
      process: { kind: 'none' },
      server: { kind: 'down' },
      // The port that its own server listens on is free by then.
      port: observed.process.kind === 'running' ? { kind: 'free' } : observed.port,
      wal: undefined,
    },
  }
}
