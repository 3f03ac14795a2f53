import type { DataPath } from '../cluster/data-path.js'
import type { DeclaredNode } from '../cluster/declared-cluster.js'
import type { SourcePlace } from '../cluster/finding.js'
import type { View } from './rule.js'

/**
 * The first of these paths that the file says something about; when it says none of them, what is nearest around the
 * last.
 */
export function placeOf(view: View, ...paths: readonly [DataPath, ...DataPath[]]): SourcePlace | undefined {
  const last = paths.at(-1) ?? []
  const around = last.map((_, index) => last.slice(0, last.length - 1 - index))
  for (const path of [...paths, ...around]) {
    const place = view.locate?.(path)
    if (place !== undefined) return place
  }
  return undefined
}

/**
 * Where the file says a parameter of a node: in the node's own block, in that of the cluster, or by its silence in
 * the node.
 */
export function parameterPlace(view: View, node: DeclaredNode, parameter: string): SourcePlace | undefined {
  const index = view.declared?.nodes.indexOf(node) ?? -1
  return placeOf(view, ['nodes', index, 'parameters', parameter], ['parameters', parameter], ['nodes', index])
}
