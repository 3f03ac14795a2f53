import { type HeldSettings, nodeConfiguration } from '../cluster/node-configuration.js'
import type { DataDirectory, RunningServer } from '../cluster/observation.js'
import type { ClusterView, NodeView } from './cluster-view.js'
import { atOnce, type Draft, harmless, join, nothing, type Phases, refused, restarts, steps, stops } from './draft.js'
import { followersKept, heldOnPrimary } from './held-settings.js'
import { ownData } from './own-data.js'
import { planConfiguration, planHeldSettings } from './plan-configuration.js'
import { checkDirectory } from './plan-directory.js'
import { planMovedStandbys, planRemovedStandbys } from './plan-former-followers.js'
import { planReplicationRole } from './plan-replication-role.js'
import { planRestart } from './plan-restart.js'
import { cannotBeAsked, checkServer } from './plan-server.js'
import { planStart, whyNotRunning } from './plan-start.js'
import { awaitAgain } from './plan-streaming.js'
import { restartReasons } from './restart-reasons.js'
import { settingChanges } from './setting-changes.js'

/** From what the primary is to a primary that runs as declared and lets its standbys in. */
export function planPrimary(view: ClusterView): Phases {
  const wrong = checkDirectory(view, view.primary)
  if (stops(wrong)) return atOnce(wrong)
  const { directory } = view.primary.observed
  return directory.kind === 'data' ? planExistingPrimary(view, directory) : atOnce(planNewPrimary(view))
}

function planNewPrimary(view: ClusterView): Draft {
  const { primary } = view
  const { name, data } = primary.declared
  const start = planStart(view, primary, 'a new primary')
  const wrong = join([checkSurvivors(view), start])
  if (stops(wrong)) return wrong
  return join([
    steps({ kind: 'initialise', node: name, why: `${data} holds no data yet`, ...harmless }),
    start,
    planReplicationRole(view),
  ])
}

/** A new primary would be empty, and the standbys hold what was in the old one. */
function checkSurvivors(view: ClusterView): Draft {
  const { name, data } = view.primary.declared
  const survivors = view.standbys.filter((standby) => ownData(standby, view.cluster.name) !== undefined)
  if (survivors.length === 0) return nothing
  const promoted = survivors.filter(isPrimary)[0]
  const names = survivors.map((survivor) => survivor.declared.name).join(' and ')
  return refused(
    name,
    `${data} is ${view.primary.observed.directory.kind === 'empty' ? 'empty' : 'gone'}, while ${names} still ${survivors.length === 1 ? 'holds' : 'hold'} data; a new primary would be empty`,
    promoted === undefined
      ? `put the data directory of ${name} back, or name where it is now as data of ${name}; the data of ${names} is not touched`
      : declareInstead(promoted, view),
  )
}

function planExistingPrimary(view: ClusterView, directory: DataDirectory): Phases {
  const { primary } = view
  const wrong = join([checkRole(view, directory), checkServer(primary, directory)])
  if (stops(wrong)) return atOnce(wrong)
  const { server } = primary.observed
  switch (server.kind) {
    case 'down':
      return planStoppedPrimary(view, directory)
    case 'up':
      return planRunningPrimary(view, directory, server)
    case 'starting':
    case 'unreachable':
      return atOnce(cannotBeAsked(primary, server))
  }
}

/** What takes a restart comes last: standbys that need room for it are restarted first. */
function planRunningPrimary(view: ClusterView, directory: DataDirectory, server: RunningServer): Phases {
  const { primary } = view
  const held = heldOnPrimary(view, directory)
  return {
    // The slots go first: the file is what tells of them.
    first: join([
      planRemovedStandbys(view, primary),
      planConfiguration(view, primary, directory, { held, restartsLater: true }),
      planReplicationRole(view),
    ]),
    last: withStandbys(
      view,
      join([planMovedStandbys(view, primary), planPrimaryRestart(view, { directory, server, held })]),
    ),
  }
}

/** For settings that the file does not tell yet, else for those that the server has not taken from it. */
function planPrimaryRestart(
  view: ClusterView,
  {
    directory,
    server,
    held,
  }: { readonly directory: DataDirectory; readonly server: RunningServer; readonly held: HeldSettings },
): Draft {
  const { primary } = view
  const brought = planHeldSettings(view, primary, held, followersKept(view, primary))
  if (restarts(brought)) return brought
  const { settings } = nodeConfiguration(view.cluster, primary.declared)
  const changes = settingChanges(settings, directory.configuration.settings ?? '')
  const waiting = restartReasons(server, settings, changes)
  return waiting.length === 0 ? brought : join([brought, planRestart(view, primary, waiting)])
}

/** Its files tell of removed standbys until it runs and their slots are dropped; killed in between, nothing is forgotten. */
function planStoppedPrimary(view: ClusterView, directory: DataDirectory): Phases {
  const { primary } = view
  const held = heldOnPrimary(view, directory)
  return {
    first: join([
      planConfiguration(view, primary, directory, { held }),
      planStart(view, primary, whyNotRunning(directory)),
      planRemovedStandbys(view, primary),
      planReplicationRole(view),
    ]),
    last: withStandbys(
      view,
      join([planMovedStandbys(view, primary), planHeldSettings(view, primary, held, followersKept(view, primary))]),
    ),
  }
}

/** A restart of the primary is over when its standbys stream again. */
function withStandbys(view: ClusterView, last: Draft): Draft {
  if (!restarts(last)) return last
  return join([last, ...view.standbys.map((standby) => awaitAgain(view, standby))])
}

function checkRole(view: ClusterView, directory: DataDirectory): Draft {
  const { primary } = view
  const { name, data } = primary.declared
  const { server } = primary.observed
  const inRecovery = server.kind === 'up' && server.inRecovery
  if (!directory.standbySignal && !inRecovery) return nothing
  const seen = inRecovery
    ? `runs as a standby on timeline ${server.timeline}`
    : `is a standby by the standby.signal in ${data} (timeline ${directory.control.timeline})`
  const promoted = view.standbys.filter((standby) => ownData(standby, view.cluster.name) && isPrimary(standby))
  return refused(
    name,
    `it is declared as the primary and ${seen}`,
    promoted.length === 1 && promoted[0] !== undefined
      ? declareInstead(promoted[0], view)
      : 'declare primary: true for the node that is the primary; this version does not change which one it is',
  )
}

function isPrimary({ observed: { server, directory } }: NodeView): boolean {
  return server.kind === 'up' ? !server.inRecovery : directory.kind === 'data' && !directory.standbySignal
}

function declareInstead(promoted: NodeView, view: ClusterView): string {
  return `${promoted.declared.name} is a primary: if it is the right one, declare primary: true for it and not for ${view.primary.declared.name}`
}
