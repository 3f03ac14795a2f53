import { standbyMinimumSettings } from '@maestra/client/postgres/settings'
import { nodeConfiguration } from '../cluster/node-configuration.js'
import type { ClusterView, NodeView } from './cluster-view.js'
import { type Draft, interrupting, join, nothing, refused, steps, stops } from './draft.js'
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

function othersBroughtIn({ cluster }: ClusterView, { declared, observed: { server } }: NodeView): readonly string[] {
  return server.kind === 'up' ? broughtInByRestart(server, nodeConfiguration(cluster, declared).settings) : []
}

/** Standbys with less of these than their primary stop to replay, and nobody restarts them for what is not declared. */
function checkOthers(view: ClusterView, node: NodeView, others: readonly string[]): Draft {
  if (node !== view.primary || view.standbys.length === 0) return nothing
  const minimums = others.filter((name) => Object.hasOwn(standbyMinimumSettings, name))
  return join(
    minimums.map((name) =>
      refused(
        node.declared.name,
        `its restart would bring in ${name}, which was changed by somebody else (ALTER SYSTEM or another file), and standbys with less of it stop to replay`,
        `declare ${name} under parameters in ${view.cluster.file}, or take the change back`,
      ),
    ),
  )
}
