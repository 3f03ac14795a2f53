import { settingsOf } from '@maestra/client/postgres/conf'
import { hbaBlockText, nodeConfiguration, nodePassfileText, settingsFile } from '../cluster/node-configuration.js'
import type { DataDirectory } from '../cluster/observation.js'
import { type Draft, harmless, nothing, refused, steps } from './draft.js'
import type { ClusterView, NodeView } from './plan-cluster.js'

/** Brings the files of a node that exists to what is declared: at once when it is stopped, by a reload while it runs. */
export function planConfiguration(view: ClusterView, node: NodeView, directory: DataDirectory): Draft {
  const changed = changedSettings(view, node, directory)
  const differences = [...changed.map((change) => change.text), ...otherDifferences(view, directory)]
  if (differences.length === 0) return nothing
  const { name } = node.declared
  const write = {
    kind: 'write-configuration',
    node: name,
    differences,
    why: `its files differ from what is declared: ${differences.join('; ')}`,
    ...harmless,
  } as const
  const { server } = node.observed
  if (server.kind !== 'up') return steps(write)
  const restart = changed.filter((change) => server.settingsThatNeedRestart.includes(change.name))
  if (restart.length > 0) {
    return refused(
      name,
      `${restart.map((change) => change.text).join('; ')}: this takes a restart, and this version does not restart a running server`,
      `stop ${name} when it suits you and run maestra apply: it starts with the new settings`,
    )
  }
  return steps(write, {
    kind: 'reload',
    node: name,
    why: 'it runs with the settings of before; a reload is enough',
    ...harmless,
  })
}

type SettingChange = { readonly name: string; readonly text: string }

function changedSettings(view: ClusterView, node: NodeView, directory: DataDirectory): readonly SettingChange[] {
  const follows = node === view.primary ? undefined : { upstream: view.primary.declared }
  const declared = settingsOf(nodeConfiguration(view.cluster, node.declared, follows).settings)
  const observed = settingsOf(directory.configuration.settings ?? '')
  const names = [...new Set([...Object.keys(declared), ...Object.keys(observed)])]
  return names
    .filter((name) => declared[name] !== observed[name])
    .map((name) => ({
      name,
      text: `${settingsFile}: ${name} ${observed[name] ?? '(not set)'} -> ${declared[name] ?? '(not set)'}`,
    }))
}

function otherDifferences(view: ClusterView, directory: DataDirectory): readonly string[] {
  const { cluster, passwords } = view
  const { configuration } = directory
  const declaredBlock = hbaBlockText(nodeConfiguration(cluster, view.primary.declared, undefined).hbaLines)
  const found: string[] = []
  if (!configuration.included) found.push(`postgresql.conf does not include ${settingsFile}`)
  if (configuration.hbaBlock?.trim() !== declaredBlock.trim()) found.push('pg_hba.conf: Maestra’s block differs')
  if (cluster.replication.authentication !== 'trust' && passwords.replication !== undefined) {
    const declared = nodePassfileText(cluster, passwords.replication)
    if (configuration.passfile?.reveal() !== declared.reveal()) found.push('its passfile differs')
  }
  return found
}
