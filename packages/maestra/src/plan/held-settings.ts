import { settingsOf } from '@maestra/client/postgres/conf'
import { standbyMinimumSettings } from '@maestra/client/postgres/settings'
import { type HeldSettings, nodeConfiguration, standbysSetting } from '../cluster/node-configuration.js'
import type { DataDirectory } from '../cluster/observation.js'
import { integerParameter } from '../doctor/integer-parameter.js'
import type { ClusterView, NodeView } from './cluster-view.js'
import { removedStandbys } from './plan-removed-standbys.js'
import { takesRestart } from './restart-reasons.js'
import { settingChanges } from './setting-changes.js'

/*
 * A standby that has less of max_connections and four settings more than its primary pauses its replay, or does not start.
 * So what is raised is raised on the standbys first, and what is lowered is lowered on the primary first. Both at once:
 *
 *   1. each standby gets the larger of what is declared and what its primary has, and is restarted if that is more;
 *   2. the primary gets what is declared, and is restarted;
 *   3. each standby, when it has replayed that, gets what is declared, and is restarted if that is less.
 *
 * After each step alone every standby has at least as much as what it replays was written with.
 */

const minimumNames = Object.keys(standbyMinimumSettings) as readonly (keyof typeof standbyMinimumSettings)[]

/** What the file of a standby goes on telling until its primary is restarted and it has replayed that. */
export function heldOnStandby(view: ClusterView, standby: NodeView): HeldSettings {
  const known = [view.primary, standby].flatMap(({ observed: { directory } }) =>
    directory.kind === 'data' ? [directory] : [],
  )
  const held = minimumNames.flatMap((name): [string, string][] => {
    // Where Maestra says nothing about it, another file may.
    const isTold = standby.declared.parameters[name] !== undefined || known.some((each) => tells(each, name))
    const declared = integerParameter(standby.declared, name)?.value
    const needed = Math.max(...known.map(({ control }) => control.standbyMinimums[name]))
    return isTold && declared !== undefined && needed > declared ? [[name, String(needed)]] : []
  })
  return Object.fromEntries(held)
}

/** What the file of the primary goes on telling until standbys and slots are ready for the change. */
export function heldOnPrimary(view: ClusterView, directory: DataDirectory): HeldSettings {
  const { declared, observed } = view.primary
  const present = directory.configuration.settings ?? ''
  const told = settingsOf(present)
  const changes = settingChanges(nodeConfiguration(view.cluster, declared).settings, present)
  const waits = (name: string) =>
    observed.server.kind === 'up' ? takesRestart(observed.server, name) : isMinimum(name) && standbysRun(view)
  const later = changes.filter((change) => waits(change.name)).map(({ name }) => [name, told[name] ?? null])
  return { ...Object.fromEntries(later), ...heldStandbys(view, directory) }
}

/** While the primary is stopped its file tells of removed standbys until their slots are dropped: it is what tells of them. */
function heldStandbys(view: ClusterView, directory: DataDirectory): HeldSettings {
  if (view.primary.observed.server.kind === 'up' || removedStandbys(view, directory).length === 0) return {}
  return { [standbysSetting]: settingsOf(directory.configuration.settings ?? '')[standbysSetting] ?? null }
}

function isMinimum(name: string): boolean {
  return Object.hasOwn(standbyMinimumSettings, name)
}

function standbysRun({ standbys }: ClusterView): boolean {
  return standbys.some(({ observed }) => observed.process.kind !== 'none')
}

function tells({ configuration }: DataDirectory, name: string): boolean {
  return settingsOf(configuration.settings ?? '')[name] !== undefined
}
