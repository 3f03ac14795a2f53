import { type HeldSettings, isOfSettingsFile, nodeConfiguration } from '../cluster/node-configuration.js'
import type { DataDirectory } from '../cluster/observation.js'
import type { ClusterView, NodeView } from './cluster-view.js'
import type { Difference } from './difference.js'
import { type Draft, harmless, join, nothing, refused, steps, stops } from './draft.js'
import { fileDifferences, settingDifferences } from './file-differences.js'
import { hasReadFiles } from './has-read-files.js'
import { planRestart } from './plan-restart.js'
import { restartReasons, takesRestart } from './restart-reasons.js'
import { settingChanges } from './setting-changes.js'

export type ConfigurationOptions = {
  /** What the settings file goes on telling for now. */
  readonly held?: HeldSettings
  /** Whether what takes a restart waits for a later step. */
  readonly restartsLater?: boolean
}

/**
 * Brings the files of a node that exists to what is declared: at once when it is stopped, by a reload or a restart while it
 * runs.
 */
export function planConfiguration(
  view: ClusterView,
  node: NodeView,
  directory: DataDirectory,
  { held = {}, restartsLater = false }: ConfigurationOptions = {},
): Draft {
  const { name } = node.declared
  const { server } = node.observed
  const wanted = nodeConfiguration(view.cluster, node.declared, held)
  const changes = settingChanges(wanted.settings, directory.configuration.settings ?? '')
  const differences = fileDifferences(view, node, directory, { changes, hbaLines: wanted.hbaLines })
  const restart = server.kind === 'up' && !restartsLater ? restartReasons(server, wanted.settings, changes) : []
  if (differences.length === 0) {
    const rejected = checkRejected(view, node)
    if (stops(rejected)) return rejected
    if (restart.length > 0) return planRestart(view, node, restart)
    return hasReadFiles(directory, server) ? nothing : steps(reload(name))
  }
  const write = steps(writeStep(name, differences, held))
  if (server.kind !== 'up') return write
  return join([write, restart.length > 0 ? planRestart(view, node, restart) : steps(reload(name))])
}

/** Brings the settings that were held to what is declared, but for those that still are; the node's server runs by then. */
export function planHeldSettings(
  view: ClusterView,
  node: NodeView,
  held: HeldSettings,
  still: HeldSettings = {},
): Draft {
  const { declared, observed } = node
  const before = nodeConfiguration(view.cluster, declared, held).settings
  const changes = settingChanges(nodeConfiguration(view.cluster, declared, still).settings, before)
  if (changes.length === 0) return nothing
  const differences = settingDifferences(node, changes)
  const restart = changes.filter((change) => takesRestart(observed.server, change.name)).map((change) => change.text)
  return join([
    steps(writeStep(declared.name, differences, still)),
    restart.length > 0 ? planRestart(view, node, restart) : steps(reload(declared.name)),
  ])
}

function writeStep(node: string, differences: readonly Difference[], held: HeldSettings = {}) {
  return {
    kind: 'write-configuration',
    node,
    differences,
    ...(Object.keys(held).length === 0 ? {} : { held }),
    why: 'its files differ from what is declared',
    ...harmless,
  } as const
}

function reload(node: string) {
  return { kind: 'reload', node, why: 'it runs with the files of before', ...harmless } as const
}

/** What is declared stands in the file, and the server does not take it: its next restart would fail. */
function checkRejected({ cluster }: ClusterView, { declared, observed }: NodeView): Draft {
  const errors = observed.server.kind === 'up' ? observed.server.configurationErrors.filter(isOfSettingsFile) : []
  if (errors.length === 0) return nothing
  return refused(declared.name, `it rejects what is declared: ${errors.join('; ')}`, `correct it in ${cluster.file}`)
}
