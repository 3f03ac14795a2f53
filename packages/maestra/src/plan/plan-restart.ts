import { parseSettingInteger, standbyMinimumSettings } from '@maestra/client/postgres/settings'
import { nodeConfiguration } from '../cluster/node-configuration.js'
import { toldSettings } from '../cluster/told-settings.js'
import { integerParameter } from '../doctor/integer-parameter.js'
import type { ClusterView, NodeView } from './cluster-view.js'
import { type Draft, interrupting, join, nothing, refused, steps, stops } from './draft.js'
import { psqlCommand } from './psql-command.js'
import { broughtInByRestart } from './restart-reasons.js'

/** Restarts a server, unless that brings in what would stop its standbys. */
export function planRestart(view: ClusterView, node: NodeView, reasons: readonly string[]): Draft {
  const { name } = node.declared
  const others = othersBroughtIn(view, node)
  const wrong = checkOthers(view, node, others)
  if (stops(wrong)) return wrong
  const also = others.length === 0 ? '' : `; it brings in ${others.join(', ')} too, changed by somebody else`
  return steps({
    kind: 'restart',
    node: name,
    why: `only a restart changes this: ${reasons.join('; ')}${also}`,
    ...interrupting,
  })
}

function othersBroughtIn({ cluster }: ClusterView, { declared, observed }: NodeView): readonly string[] {
  const { server, directory } = observed
  if (server.kind !== 'up') return []
  const isRead = directory.kind === 'data' && directory.configuration.included
  return broughtInByRestart(
    server,
    nodeConfiguration(cluster, declared).settings,
    isRead ? toldSettings(directory) : {},
  )
}

/**
 * Standbys with less of some settings than their primary stop to replay, or do not start. Nobody brings the other nodes to
 * what somebody else changed on one of them.
 */
function checkOthers(view: ClusterView, node: NodeView, others: readonly string[]): Draft {
  const names = others.filter(isMinimum)
  if (node !== view.primary) return join(names.map((name) => checkOnStandby(view, node, name)))
  return view.standbys.length === 0 ? nothing : join(names.map((name) => checkOnPrimary(view, node, name)))
}

type Minimum = keyof typeof standbyMinimumSettings

function isMinimum(name: string): name is Minimum {
  return Object.hasOwn(standbyMinimumSettings, name)
}

function checkOnPrimary(view: ClusterView, node: NodeView, name: Minimum): Draft {
  const declared = integerParameter(node.declared, name)?.value
  const value = valueAbove(node, name)
  if (declared !== undefined && value !== undefined && value <= declared) return nothing
  return refused(
    node.declared.name,
    `its restart would bring in ${name}, which was changed by somebody else (ALTER SYSTEM or another file), and standbys with less of it stop to replay`,
    `declare ${name} under parameters in ${view.cluster.file}, or take the change back`,
  )
}

function checkOnStandby(view: ClusterView, node: NodeView, name: Minimum): Draft {
  const value = valueAbove(node, name)
  const needed = Math.max(
    ...[view.primary, node].map(({ observed: { directory } }) =>
      directory.kind === 'data' ? directory.control.standbyMinimums[name] : 0,
    ),
  )
  if (value !== undefined && value >= needed) return nothing
  return refused(
    node.declared.name,
    `its restart would bring in ${name}${value === undefined ? '' : ` = ${value}`}, which was changed by somebody else (ALTER SYSTEM or another file), and with less than the ${needed} of its primary it would not start`,
    `take the change back, for example: ${psqlCommand(node.declared, `alter system reset ${name}`)}`,
  )
}

/** What it would be by a file that is read after Maestra's; files before that do not tell. */
function valueAbove({ observed: { server } }: NodeView, name: Minimum): number | undefined {
  const found = server.kind === 'up' ? server.settingsAbove.findLast((setting) => setting.name === name) : undefined
  try {
    return found === undefined ? undefined : parseSettingInteger(name, found.value)
  } catch {
    return undefined
  }
}
