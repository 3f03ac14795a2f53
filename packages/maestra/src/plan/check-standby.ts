import { formatLsn } from '@maestra/client/postgres/lsn'
import type { DataDirectory } from '../cluster/observation.js'
import type { ClusterView, NodeView } from './cluster-view.js'
import { type Draft, join, nothing, refused, stops } from './draft.js'
import { checkHistory, partingOf } from './plan-history.js'
import { replaceHint } from './plan-replacement.js'
import { checkServer } from './plan-server.js'
import { stopCommand } from './stop-command.js'

/** Says why a standby that has data may not be worked on: it is none any more, of another system, or has parted. */
export function checkStandby(view: ClusterView, standby: NodeView, directory: DataDirectory): Draft {
  const other = join([checkRole(view, standby, directory), checkSystem(view, standby, directory)])
  return join([other, stops(other) ? nothing : checkHistory(view, standby, directory), checkServer(standby, directory)])
}

/** A node that is no standby any more has a history of its own, and is never worked on. */
function checkRole(view: ClusterView, standby: NodeView, directory: DataDirectory): Draft {
  const { name, data } = standby.declared
  const { server } = standby.observed
  const { state, timeline, checkpointLsn } = directory.control
  const leads = server.kind === 'up' && !server.inRecovery
  if (directory.standbySignal && !leads) return nothing
  const seen = leads
    ? `runs as a primary on timeline ${server.timeline} at ${formatLsn(server.lsn)}`
    : `is a primary: ${data} has no standby.signal (${state}, timeline ${timeline}, checkpoint at ${formatLsn(checkpointLsn)})`
  return refused(
    name,
    `it is declared as a standby and ${seen}${partingOf(view, standby)}`,
    `was ${name} promoted? if it is the right primary, declare primary: true for it and not for ${view.primary.declared.name}; this version does not change which one it is; else ${leads ? `stop it${stopCommand(standby.observed.process)} and ` : ''}${replaceHint(name)}`,
  )
}

function checkSystem(view: ClusterView, standby: NodeView, directory: DataDirectory): Draft {
  const { name, data } = standby.declared
  const primary = view.primary.observed.directory
  const found = directory.control.systemIdentifier
  if (primary.kind !== 'data' || primary.control.systemIdentifier === found) return nothing
  return refused(
    name,
    `${data} is of system ${found} (${standsAt(directory)}), and the primary ${view.primary.declared.name} of system ${primary.control.systemIdentifier} (${standsAt(primary)})`,
    `name another directory as data of ${name}, or ${replaceHint(name)}`,
  )
}

/** Where a data directory stands, in words. */
export function standsAt({ control }: DataDirectory): string {
  return `timeline ${control.timeline}, checkpoint at ${formatLsn(control.checkpointLsn)}`
}
