import { settingsOf } from '@maestra/client/postgres/conf'
import { standbyMinimumSettings } from '@maestra/client/postgres/settings'
import { type HeldSettings, nodeConfiguration, standbysSetting } from '../cluster/node-configuration.js'
import type { DataDirectory, ServerObservation } from '../cluster/observation.js'
import { toldSettings } from '../cluster/told-settings.js'
import { integerParameter } from '../doctor/integer-parameter.js'
import { type ClusterView, followersOf, type NodeView, upstreamOf } from './cluster-view.js'
import { formerFollowers } from './former-followers.js'
import { isSameValue } from './is-same-value.js'
import { hasReplayedStart } from './late-standby.js'
import { isOfMaestra, needsRestart } from './restart-reasons.js'
import { settingChanges } from './setting-changes.js'

/*
 * A standby that has less of max_connections and four settings more than its primary pauses its replay, or does not start.
 * So what is raised is raised on the standbys first, and what is lowered is lowered on the primary first. Both at once:
 *
 *   1. each standby gets the larger of what is declared and what its primary has, and is restarted if that is more;
 *   2. the primary gets what is declared, and is restarted;
 *   3. each standby, when it has replayed that, gets what is declared, and is restarted if that is less.
 *
 * After each step alone every standby has at least as much as what it replays was written with. All of it is about the WAL of
 * the primary, whomever a standby receives it from. One that was away or replays late keeps what its file tells until it has
 * replayed the last start of its primary: what its pg_control says is older, and there may have been more in between.
 */

const minimumNames = Object.keys(standbyMinimumSettings) as readonly (keyof typeof standbyMinimumSettings)[]

/** What the file of a standby goes on telling until its primary is restarted and it has replayed that. */
export function minimumsHeld(view: ClusterView, standby: NodeView): HeldSettings {
  // One that is to be copied begins where its upstream is.
  const isNew = standby.observed.directory.kind !== 'data'
  const known = [view.primary, ...(isNew ? [upstreamOf(view, standby)] : [standby])].flatMap(
    ({ observed: { directory, server } }) => (directory.kind === 'data' ? [{ directory, server }] : []),
  )
  // What it has not replayed yet may have been written with more than either pg_control tells.
  const isBehind = !isNew && !hasReplayedStart(view, standby)
  const hadBy = (name: string) => (isBehind ? known.flatMap((each) => numberOf(each, name)) : [])
  const held = minimumNames.flatMap((name): [string, string][] => {
    // Where Maestra says nothing about it, another file may.
    const isTold =
      standby.declared.parameters[name] !== undefined || known.some(({ directory }) => tells(directory, name))
    const declared = integerParameter(standby.declared, name)?.value
    const controls = known.map(({ directory }) => directory.control)
    const needed = Math.max(...controls.map((control) => control.standbyMinimums[name]), ...hadBy(name))
    return isTold && declared !== undefined && needed > declared ? [[name, String(needed)]] : []
  })
  return Object.fromEntries(held)
}

/** What the file of the primary goes on telling until standbys and slots are ready for the change. */
export function heldOnPrimary(view: ClusterView, directory: DataDirectory): HeldSettings {
  const { declared, observed } = view.primary
  const present = directory.configuration.settings ?? ''
  const told = toldSettings(directory)
  const { settings } = nodeConfiguration(view.cluster, declared)
  const wanted = settingsOf(settings)
  const { server } = observed
  const waits = (name: string) =>
    server.kind === 'up' ? needsRestart(server, name, wanted[name]) : isMinimum(name) && standbysRun(view)
  const later = settingChanges(settings, present)
    .filter((change) => waits(change.name))
    .map(({ name }) => [name, presentValue(server, name, told[name])])
  return { ...Object.fromEntries(later), ...followersHeld(view, view.primary) }
}

/** What a server runs with, where its file tells something else by now: a crash before its turn is to bring in nothing new. */
function presentValue(server: ServerObservation, name: string, told: string | undefined): string | null {
  const started = server.kind === 'up' ? server.startedWith[name] : undefined
  if (server.kind !== 'up' || started === undefined || told === undefined) return told ?? null
  const isOverridden = server.settingsAbove.some((setting) => setting.name === name)
  if (isOverridden || isSameValue(name, started.value, told)) return told
  return isOfMaestra(server, name) ? started.value : null
}

/**
 * A file tells of former followers until their slots are dropped: it is what tells of them. Slots of removed standbys are
 * dropped first where the server runs, those of standbys that follow another node by now in the end.
 */
export function followersHeld(view: ClusterView, node: NodeView): HeldSettings {
  const { removed, moved, waiting } = formerFollowers(view, node)
  const isUp = node.observed.server.kind === 'up'
  return toldFollowers(view, node, [...(isUp ? [] : removed), ...moved, ...waiting])
}

/** What it goes on telling behind everything that a plan does. */
export function followersKept(view: ClusterView, node: NodeView): HeldSettings {
  return toldFollowers(view, node, formerFollowers(view, node).waiting)
}

function toldFollowers(view: ClusterView, node: NodeView, former: readonly string[]): HeldSettings {
  if (former.length === 0) return {}
  const names = new Set([...former, ...followersOf(view, node).map(({ declared }) => declared.name)])
  return { [standbysSetting]: [...names].toSorted().join(' ') }
}

function isMinimum(name: string): boolean {
  return Object.hasOwn(standbyMinimumSettings, name)
}

function standbysRun({ standbys }: ClusterView): boolean {
  return standbys.some(({ observed }) => observed.process.kind !== 'none')
}

/** What a server runs with; what the file of one that does not run tells. */
function numberOf(
  { directory, server }: { readonly directory: DataDirectory; readonly server: ServerObservation },
  name: string,
): readonly number[] {
  const text = server.kind === 'up' ? server.startedWith[name]?.value : toldSettings(directory)[name]
  const value = Number(text)
  return Number.isFinite(value) ? [value] : []
}

function tells(directory: DataDirectory, name: string): boolean {
  return toldSettings(directory)[name] !== undefined
}
