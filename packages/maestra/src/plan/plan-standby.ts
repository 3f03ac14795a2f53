import { formatLsn } from '@maestra/client/postgres/lsn'
import type { HeldSettings } from '../cluster/node-configuration.js'
import type { DataDirectory } from '../cluster/observation.js'
import { checkTablespaces } from './check-tablespaces.js'
import type { ClusterView, NodeView } from './cluster-view.js'
import { atOnce, type Draft, harmless, join, nothing, type Phases, refused, steps, stops, unknown } from './draft.js'
import { heldOnStandby } from './held-settings.js'
import { planConfiguration, planHeldSettings } from './plan-configuration.js'
import { checkDirectory } from './plan-directory.js'
import { cannotBeAsked, checkServer } from './plan-server.js'
import { planSlot } from './plan-slot.js'
import { planStart, whyNotRunning } from './plan-start.js'
import { awaitAgain, planStreaming } from './plan-streaming.js'

/** From what a standby is to one that streams from the declared primary through a slot of its own. */
export function planStandby(view: ClusterView, standby: NodeView): Phases {
  const wrong = checkDirectory(view, standby)
  if (stops(wrong)) return atOnce(wrong)
  const { directory } = standby.observed
  const held = heldOnStandby(view, standby)
  const first =
    directory.kind === 'data'
      ? planExistingStandby(view, standby, directory, held)
      : planNewStandby(view, standby, held)
  return { first, last: planLowering(view, standby, held) }
}

function planNewStandby(view: ClusterView, standby: NodeView, held: HeldSettings): Draft {
  const { name, data } = standby.declared
  const from = view.primary.declared.name
  const start = planStart(view, standby, 'a new standby')
  const slot = planSlot(view, standby)
  const wrong = join([start, slot, checkTablespaces(view, standby)])
  if (stops(wrong)) return { ...wrong, steps: [] }
  const copy = {
    kind: 'copy-primary',
    node: name,
    from,
    ...(Object.keys(held).length === 0 ? {} : { held }),
    why: `${data} holds no data yet`,
    ...harmless,
  } as const
  return join([slot, steps(copy), start, planStreaming(view, standby, nothing)])
}

/** It may have less only when it has replayed that its primary has less. */
function planLowering(view: ClusterView, standby: NodeView, held: HeldSettings): Draft {
  const lowering = planHeldSettings(view, standby, held)
  if (lowering.steps.length === 0) return lowering
  return join([awaitAgain(view, standby), lowering, awaitAgain(view, standby)])
}

function planExistingStandby(
  view: ClusterView,
  standby: NodeView,
  directory: DataDirectory,
  held: HeldSettings,
): Draft {
  const role = checkRole(view, standby, directory)
  const wrong = join([
    role,
    checkSystem(view, standby, directory),
    stops(role) ? nothing : checkTimeline(view, standby, directory),
    checkServer(standby, directory),
  ])
  if (stops(wrong)) return wrong
  const { server } = standby.observed
  const slot = planSlot(view, standby)
  const configuration = planConfiguration(view, standby, directory, { held })
  const streaming = planStreaming(view, standby, configuration)
  switch (server.kind) {
    case 'down':
      return join([slot, configuration, planStart(view, standby, whyNotRunning(directory)), streaming])
    case 'up':
      return join([slot, configuration, streaming])
    case 'starting':
      return configuration.steps.length === 0 ? join([slot, streaming]) : startsWithOldFiles(standby, server.because)
    case 'unreachable':
      return cannotBeAsked(standby, server)
  }
}

/** Nobody can say which files it has read, nor ask it which settings take a restart. */
function startsWithOldFiles(standby: NodeView, because: string): Draft {
  return unknown(
    standby.declared.name,
    `its files differ from what is declared, and whether a reload is enough is unknown, because ${because}`,
    'wait until it takes connections, then: maestra plan',
  )
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
    `it is declared as a standby and ${seen}`,
    `was ${name} promoted? if it is the right primary, declare primary: true for it and not for ${view.primary.declared.name}; this version does not change which one it is`,
  )
}

function checkSystem(view: ClusterView, standby: NodeView, directory: DataDirectory): Draft {
  const { name, data } = standby.declared
  const primary = view.primary.observed.directory
  const found = directory.control.systemIdentifier
  if (primary.kind !== 'data' || primary.control.systemIdentifier === found) return nothing
  return refused(
    name,
    `${data} is of system ${found}, and the primary ${view.primary.declared.name} of system ${primary.control.systemIdentifier}`,
    `name another directory as data of ${name}; this one is not touched`,
  )
}

/** A standby follows its primary to a later timeline, never to an earlier one. */
function checkTimeline(view: ClusterView, standby: NodeView, directory: DataDirectory): Draft {
  const { name } = standby.declared
  const primary = view.primary.observed.server
  const own = standby.observed.server
  // What a server says counts; the file of a running one may lag behind its last promotion.
  if (primary.kind !== 'up' || primary.inRecovery) return nothing
  const timeline = own.kind === 'up' ? own.timeline : directory.control.timeline
  if (timeline <= primary.timeline) return nothing
  return refused(
    name,
    `it is on timeline ${timeline}, and the primary ${view.primary.declared.name} on timeline ${primary.timeline}: it has followed another primary`,
    `find out which history is the right one before you change anything: maestra status`,
  )
}
