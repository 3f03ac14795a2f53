import type { Finding } from '../cluster/finding.js'
import { autoConfFile, nodeConfiguration } from '../cluster/node-configuration.js'
import type { FileSetting } from '../cluster/observation.js'
import type { ClusterView, NodeView } from './cluster-view.js'
import { placeText } from './difference.js'
import { overridingSettings } from './overriding-settings.js'
import { ownData } from './own-data.js'
import { psqlCommand } from './psql-command.js'
import { shownValue } from './without-secrets.js'

/**
 * Settings that a user made where PostgreSQL reads them after Maestra's file: below its include, or by ALTER SYSTEM. They
 * win over what is declared, and are the user's to take back.
 */
export function settingFindings(view: ClusterView): readonly Finding[] {
  return [view.primary, ...view.standbys].flatMap((node) => nodeFindings(view, node))
}

function nodeFindings(view: ClusterView, node: NodeView): readonly Finding[] {
  const directory = ownData(node, view.cluster.name)
  if (directory === undefined) return []
  const { server } = node.observed
  const above = server.kind === 'up' ? server.settingsAbove : directory.configuration.settingsAbove
  return overridingSettings(above, nodeConfiguration(view.cluster, node.declared).settings).flatMap(
    ({ setting, wanted }) => (wanted === undefined ? [] : [finding(node, setting, wanted)]),
  )
}

function finding({ declared, observed }: NodeView, { file, line, name, value }: FileSetting, wanted: string): Finding {
  const place = placeText({ host: declared.host, file, line })
  const bySystem = file.endsWith(`/${autoConfFile}`)
  const reset = `alter system reset ${name}`
  const hint =
    bySystem && observed.server.kind === 'up'
      ? `take it back: ${psqlCommand(declared, reset)} -c "select pg_reload_conf()"`
      : `take that line out, or declare in the cluster file what it says`
  return {
    rule: 'setting-overridden',
    severity: 'warning',
    message: `${declared.name}: ${place} sets ${name} to ${shownValue(name, value)}${bySystem ? ' (ALTER SYSTEM)' : ''}, which wins over the declared ${shownValue(name, wanted)}`,
    hint,
    place: undefined,
  }
}
