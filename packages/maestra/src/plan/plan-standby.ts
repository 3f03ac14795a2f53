import type { HeldSettings } from '../cluster/node-configuration.js'
import type { DataDirectory } from '../cluster/observation.js'
import { isOff } from '../cluster/parameters.js'
import { checkStandby, standsAt } from './check-standby.js'
import { checkTablespaces } from './check-tablespaces.js'
import { type ClusterView, followersOf, type NodeView, upstreamOf, upstreamsOf } from './cluster-view.js'
import {
  atOnce,
  type Draft,
  harmless,
  join,
  nothing,
  type Phases,
  refused,
  restarts,
  steps,
  stops,
  unknown,
} from './draft.js'
import { followersHeld, followersKept, minimumsHeld } from './held-settings.js'
import { whyLate } from './late-standby.js'
import { ownData } from './own-data.js'
import { refusePaused } from './paused-standby.js'
import { planConfiguration, planHeldSettings } from './plan-configuration.js'
import { checkDirectory } from './plan-directory.js'
import { planMovedStandbys, planRemovedStandbys } from './plan-former-followers.js'
import { partingOf } from './plan-history.js'
import { checkReplaceable, planMoveAside, whenAside } from './plan-replacement.js'
import { cannotBeAsked } from './plan-server.js'
import { planSlot } from './plan-slot.js'
import { planStart, whyNotRunning } from './plan-start.js'
import { awaitAgain, planStreaming } from './plan-streaming.js'
import { standbyWal } from './standby-wal.js'
import { stopCommand } from './stop-command.js'

/** From what a standby is to one that streams from the node that it is declared to follow through a slot of its own. */
export function planStandby(view: ClusterView, standby: NodeView): Phases {
  const { directory } = standby.observed
  if (directory.kind === 'data' && view.replace.includes(standby.declared.name)) {
    const wrong = checkReplaceable(view, standby, directory)
    return stops(wrong)
      ? atOnce(wrong)
      : planReplacement(view, standby, directory, { why: askedWords(view, standby, directory), asked: true })
  }
  const wrong = checkDirectory(view, standby)
  if (stops(wrong)) return atOnce(wrong)
  if (directory.kind === 'data') return planExistingStandby(view, standby, directory)
  const held = minimumsHeld(view, standby)
  return { first: planNewStandby(view, standby, held), last: planLast(view, standby, held) }
}

/** `isReplaced`: its data of before are aside by then. */
function planNewStandby(view: ClusterView, standby: NodeView, held: HeldSettings, isReplaced = false): Draft {
  const { name, data } = standby.declared
  const start = planStart(view, standby, 'a new standby')
  const slot = planSlot(view, standby, isReplaced)
  const wrong = join([start, slot, checkTablespaces(view, standby)])
  if (stops(wrong)) return { ...wrong, steps: [] }
  const copy = {
    kind: 'copy-primary',
    node: name,
    from: copySource(view, standby).declared.name,
    ...(Object.keys(held).length === 0 ? {} : { held }),
    why: isReplaced ? `${data} is free by then` : `${data} holds no data yet`,
    ...harmless,
  } as const
  return join([slot, steps(copy), start, planStreaming(view, standby, nothing)])
}

/**
 * The node that it follows; never one that replays late, whose data may be old, but then the next on the way to the primary.
 * A backup of a standby is whole only where the primary writes full pages at any time; one of the primary sees to it itself.
 */
function copySource(view: ClusterView, standby: NodeView): NodeView {
  if (isOff(view.primary.declared.parameters['full_page_writes'])) return view.primary
  return upstreamsOf(view, standby).find((upstream) => whyLate(view, upstream) === undefined) ?? view.primary
}

/** What has to wait for all nodes: slots of standbys that follow another one by now, and settings that are lowered. */
function planLast(view: ClusterView, standby: NodeView, minimums: HeldSettings): Draft {
  return join([planMovedStandbys(view, standby), planLowering(view, standby, minimums)])
}

/** It may have less only when it has replayed that its primary has less. For one that replays late nobody waits. */
function planLowering(view: ClusterView, standby: NodeView, minimums: HeldSettings): Draft {
  const held = { ...minimums, ...followersHeld(view, standby) }
  const still = { ...(whyLate(view, standby) === undefined ? {} : minimums), ...followersKept(view, standby) }
  const lowering = planHeldSettings(view, standby, held, still)
  if (!restarts(lowering)) return lowering
  return join([awaitAgain(view, standby), lowering, awaitAgain(view, standby)])
}

function planExistingStandby(view: ClusterView, standby: NodeView, directory: DataDirectory): Phases {
  const wrong = checkStandby(view, standby, directory)
  if (stops(wrong)) return atOnce(wrong)
  const wal = checkWal(view, standby)
  if (stops(wal)) return atOnce(wal)
  const lost = lostWal(view, standby)
  if (lost !== undefined) return planWithoutWal(view, standby, directory, `it cannot catch up: ${lost}`)
  const minimums = minimumsHeld(view, standby)
  const first = planGoingOn(view, standby, directory, { ...minimums, ...followersHeld(view, standby) })
  return { first, last: planLast(view, standby, minimums) }
}

/** What is moved aside, where that is not what a standby of this cluster would have. */
function askedWords(view: ClusterView, standby: NodeView, directory: DataDirectory): string {
  if (directory.madeFor !== undefined) return `asked for${partingOf(view, standby)}`
  const { majorVersion, control } = directory
  return `asked for: a PostgreSQL ${majorVersion} server that Maestra did not make (system ${control.systemIdentifier}, ${control.state}, ${standsAt(directory)})`
}

/** It keeps its data, and goes on with the WAL of the node that it follows. */
function planGoingOn(view: ClusterView, standby: NodeView, directory: DataDirectory, held: HeldSettings): Draft {
  const { server } = standby.observed
  const slot = planSlot(view, standby)
  const configuration = planConfiguration(view, standby, directory, { held })
  const removed = planRemovedStandbys(view, standby)
  const streaming = planStreaming(view, standby, configuration)
  switch (server.kind) {
    case 'down':
      return join([slot, configuration, planStart(view, standby, whyNotRunning(directory)), removed, streaming])
    case 'up':
      return join([removed, slot, configuration, streaming])
    case 'starting':
      return configuration.steps.length === 0 ? join([slot, streaming]) : startsWithOldFiles(standby, server.because)
    case 'unreachable':
      return cannotBeAsked(standby, server)
  }
}

/** WAL that only a node above its upstream has does not come to it, and its data are too good to be replaced. */
function checkWal(view: ClusterView, standby: NodeView): Draft {
  const wal = standbyWal(view, standby)
  if (wal.kind !== 'elsewhere' || wal.archived) return nothing
  const { name } = standby.declared
  return refused(
    name,
    `it cannot catch up from ${upstreamOf(view, standby).declared.name}: ${wal.words}; ${wal.at} still has it`,
    `let ${name} follow ${wal.at} first: \`follows\` in ${view.cluster.file}, then: maestra apply`,
  )
}

/** Undefined unless what it goes on with is certainly gone, and no archive has it. */
function lostWal(view: ClusterView, standby: NodeView): string | undefined {
  const wal = standbyWal(view, standby)
  return wal.kind === 'gone' && !wal.archived ? wal.words : undefined
}

/** It is made anew, unless something of it is not known. */
function planWithoutWal(view: ClusterView, standby: NodeView, directory: DataDirectory, why: string): Phases {
  const { server, process } = standby.observed
  switch (server.kind) {
    case 'starting':
      return atOnce(
        unknown(
          standby.declared.name,
          `${why}; and its server cannot be asked, because ${server.because}`,
          `if it does not get up, stop it${stopCommand(process)}, then: maestra apply`,
        ),
      )
    case 'unreachable':
      return atOnce(cannotBeAsked(standby, server))
    case 'up':
    case 'down':
      // Somebody holds it where it is.
      if (server.kind === 'up' && server.replayPaused) return atOnce(refusePaused(standby))
      return planReplacement(view, standby, directory, { why, asked: false })
  }
}

function planReplacement(
  view: ClusterView,
  standby: NodeView,
  directory: DataDirectory,
  reason: { readonly why: string; readonly asked: boolean },
): Phases {
  const followed = checkFollowers(view, standby)
  if (stops(followed)) return atOnce(followed)
  const aside = whenAside(standby)
  const held = minimumsHeld(view, aside)
  const first = join([planMoveAside(standby, directory, reason), planNewStandby(view, aside, held, true)])
  return stops(first) ? atOnce({ ...first, steps: [] }) : { first, last: planLast(view, aside, held) }
}

/** The slots of those that follow it would go with its data, and the WAL that they need, unless they are made anew as well. */
function checkFollowers(view: ClusterView, standby: NodeView): Draft {
  const staysOn = (each: NodeView) =>
    ownData(each, view.cluster.name) !== undefined && !view.replace.includes(each.declared.name)
  const followers = followersOf(view, standby).filter(staysOn)
  if (followers.length === 0) return nothing
  const { name } = standby.declared
  const behind = view.standbys
    .filter((each) => staysOn(each) && upstreamsOf(view, each).includes(standby))
    .map((each) => each.declared.name)
  const names = followers.map((each) => each.declared.name).join(' and ')
  return refused(
    name,
    `it has to be made anew, and ${names} ${followers.length === 1 ? 'follows' : 'follow'} it: the WAL that ${names} still ${followers.length === 1 ? 'needs' : 'need'} would go with its data`,
    `let ${names} follow another node first: \`follows\` in ${view.cluster.file}; or have all behind ${name} made anew as well: maestra apply${[...view.replace, ...behind].map((each) => ` --replace ${each}`).join('')}`,
  )
}

/** Nobody can say which files it has read, nor ask it which settings take a restart. */
function startsWithOldFiles(standby: NodeView, because: string): Draft {
  return unknown(
    standby.declared.name,
    `its files differ from what is declared, and whether a reload is enough is unknown, because ${because}`,
    'wait until it takes connections, then: maestra plan',
  )
}
