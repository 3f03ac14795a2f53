import { isDeepStrictEqual } from 'node:util'
import type { DeclaredCluster } from './declared-cluster.js'

/** Whether two clusters declare the same, a node of that name left aside. */
export function isSameButFor(name: string, a: DeclaredCluster, b: DeclaredCluster): boolean {
  const rest = (cluster: DeclaredCluster) => ({
    ...cluster,
    nodes: cluster.nodes.filter((node) => node.name !== name),
  })
  return isDeepStrictEqual(rest(a), rest(b))
}
