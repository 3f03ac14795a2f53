import { settingsOf } from '@maestra/client/postgres/conf'
import {
  isOfSettingsFile,
  nodeConfiguration,
  nodePassfile,
  nodePassfileText,
  settingsFile,
  standbysSetting,
} from '../cluster/node-configuration.js'
import type { DataDirectory, RunningServer, ServerObservation } from '../cluster/observation.js'
import type { ClusterView, NodeView } from './cluster-view.js'
import { type Draft, harmless, nothing, refused, steps, stops } from './draft.js'
import { hbaDifferences } from './hba-differences.js'
import { type SettingChange, settingChanges } from './setting-changes.js'
import { stopCommand } from './stop-command.js'

/**
 * Brings the files of a node that exists to what is declared: at once when it is stopped, by a reload while it runs.
 * `standbys` are the names that the files of the primary go on telling, if not the declared ones.
 */
export function planConfiguration(
  view: ClusterView,
  node: NodeView,
  directory: DataDirectory,
  standbys?: readonly string[],
): Draft {
  const { name } = node.declared
  const { server } = node.observed
  const wanted = nodeConfiguration(
    view.cluster,
    node.declared,
    node === view.primary ? undefined : { upstream: view.primary.declared },
    standbys,
  )
  const changes = settingChanges(wanted.settings, directory.configuration.settings ?? '')
  const differences = [
    ...changes.map((change) => `${settingsFile}: ${change.text}`),
    ...(directory.configuration.included ? [] : [`postgresql.conf does not include ${settingsFile}`]),
    ...hbaDifferences(wanted.hbaLines, directory.configuration.hbaBlock),
    ...passfileDifferences(view, directory),
  ]
  if (server.kind === 'up') {
    const restart = checkRestart(node, server, changes, Object.keys(settingsOf(wanted.settings)))
    if (stops(restart)) return restart
  }
  if (differences.length === 0) {
    const rejected = checkRejected(view, node)
    if (stops(rejected)) return rejected
    return hasReadFiles(directory, server) ? nothing : steps(reload(name))
  }
  const write = {
    kind: 'write-configuration',
    node: name,
    differences,
    ...(standbys === undefined ? {} : { standbys }),
    why: `its files differ from what is declared: ${differences.join('; ')}`,
    ...harmless,
  } as const
  if (server.kind !== 'up') return steps(write)
  return steps(write, reload(name))
}

/**
 * Takes the names of removed standbys out of the primary's file, when their slots are gone: at the end of a plan that
 * found the primary stopped.
 */
export function planForgetting({ cluster, primary }: ClusterView, directory: DataDirectory): Draft {
  const { name } = primary.declared
  const told = directory.configuration.settings ?? ''
  const wanted = nodeConfiguration(cluster, primary.declared, undefined).settings
  const differences = settingChanges(wanted, told)
    .filter((change) => change.name === standbysSetting)
    .map((change) => `${settingsFile}: ${change.text}`)
  const why = `its files still tell of standbys that are gone: ${differences.join('; ')}`
  return steps({ kind: 'write-configuration', node: name, differences, why, ...harmless }, reload(name))
}

function reload(node: string) {
  return { kind: 'reload', node, why: 'it runs with the files of before', ...harmless } as const
}

/** An apply that was killed between the two steps leaves files that are right and a server that has not read them. */
function hasReadFiles({ configuration }: DataDirectory, server: ServerObservation): boolean {
  return server.kind !== 'up' || (configuration.settingsWrittenAtMs ?? 0) <= server.configurationLoadedAtMs
}

/** What is declared stands in the file, and the server does not take it: its next restart would fail. */
function checkRejected({ cluster }: ClusterView, { declared, observed }: NodeView): Draft {
  const errors = observed.server.kind === 'up' ? observed.server.configurationErrors.filter(isOfSettingsFile) : []
  if (errors.length === 0) return nothing
  return refused(declared.name, `it rejects what is declared: ${errors.join('; ')}`, `correct it in ${cluster.file}`)
}

/** Settings that only a restart changes: those that would be written, and those that were written and wait for one. */
function checkRestart(
  { declared, observed }: NodeView,
  server: RunningServer,
  changes: readonly SettingChange[],
  declaredNames: readonly string[],
): Draft {
  const changed = changes.filter((change) => server.settingsThatNeedRestart.includes(change.name))
  const waiting = server.pendingRestart.filter(
    (name) => declaredNames.includes(name) && !changed.some((change) => change.name === name),
  )
  const seen = [
    ...changed.map((change) => change.text),
    ...waiting.map((name) => `${name} is written, and the server runs with an older value`),
  ]
  if (seen.length === 0) return nothing
  return refused(
    declared.name,
    `${seen.join('; ')}: this takes a restart, and this version does not restart a running server`,
    `stop it when it suits you${stopCommand(observed.process)}, then: maestra apply; it starts with the new settings`,
  )
}

/** Never what the files hold. */
function passfileDifferences({ cluster, passwords }: ClusterView, directory: DataDirectory): readonly string[] {
  if (cluster.replication.authentication === 'trust' || passwords.replication === undefined) return []
  const { passfile } = directory.configuration
  if (passfile === undefined) return [`${nodePassfile} is not there, or others may read it`]
  const wanted = nodePassfileText(cluster, passwords.replication)
  return passfile.reveal() === wanted.reveal() ? [] : [`${nodePassfile} differs from ${cluster.passfile}`]
}
