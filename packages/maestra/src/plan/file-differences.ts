import { join } from 'node:path'
import type { HbaLine } from '@maestra/client/postgres/hba'
import { nodePassfile, nodePassfileText, settingsFile } from '../cluster/node-configuration.js'
import type { DataDirectory } from '../cluster/observation.js'
import type { ClusterView, NodeView } from './cluster-view.js'
import type { Difference, FilePlace } from './difference.js'
import { hbaDifferences } from './hba-differences.js'
import type { SettingChange } from './setting-changes.js'

/** Where the files of a node that exists differ from what they are to say, file by file. */
export function fileDifferences(
  view: ClusterView,
  node: NodeView,
  { configuration }: DataDirectory,
  wanted: { readonly changes: readonly SettingChange[]; readonly hbaLines: readonly HbaLine[] },
): readonly Difference[] {
  const include = { place: placeIn(node, 'postgresql.conf'), to: `include_if_exists '${settingsFile}'` }
  const block = configuration.hbaBlockLine ?? 1
  const rules = hbaDifferences(wanted.hbaLines, configuration.hbaBlock).map(
    ({ line, ...change }): Difference => ({
      place: placeIn(node, 'pg_hba.conf', line === undefined ? undefined : block + line - 1),
      ...change,
    }),
  )
  return [
    ...settingDifferences(node, wanted.changes),
    ...(configuration.included ? [] : [include]),
    ...rules,
    ...passfileDifferences(view, node, configuration),
  ]
}

/** Changes of Maestra's settings file, each at the line that says the older value. */
export function settingDifferences(node: NodeView, changes: readonly SettingChange[]): readonly Difference[] {
  return changes.map(({ name, line, from, to }) => ({
    place: placeIn(node, settingsFile, line),
    what: name,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  }))
}

/** Never what the files hold. */
function passfileDifferences(
  { cluster, passwords }: ClusterView,
  node: NodeView,
  { passfile }: DataDirectory['configuration'],
): readonly Difference[] {
  if (cluster.replication.authentication === 'trust' || passwords.replication === undefined) return []
  const change = { place: placeIn(node, nodePassfile), what: 'passwords', to: `those of ${cluster.passfile}` }
  if (passfile === undefined) return [{ ...change, from: '(not there, or others may read them)' }]
  const wanted = nodePassfileText(cluster, passwords.replication)
  return passfile.reveal() === wanted.reveal() ? [] : [{ ...change, from: '(others)' }]
}

function placeIn({ declared }: NodeView, file: string, line?: number): FilePlace {
  return { host: declared.host, file: join(declared.data, file), ...(line === undefined ? {} : { line }) }
}
