import type { DataDirectory } from '../cluster/observation.js'
import type { NodeView } from './cluster-view.js'

/** The data directory of a node, if it is there and was made for this very node. */
export function ownData(node: NodeView, cluster: string): DataDirectory | undefined {
  const { directory } = node.observed
  if (directory.kind !== 'data') return undefined
  return directory.madeFor?.cluster === cluster && directory.madeFor.node === node.declared.name ? directory : undefined
}
