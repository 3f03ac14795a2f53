import { dirname } from 'node:path'
import { type DeclaredNode, slotName } from '../cluster/declared-cluster.js'
import { hostKey, isLoopback } from './host-key.js'

/**
 * Pairs of nodes that may share something: a slot, a port of one host or of its loopback addresses, a data directory or one
 * inside the other. Each with the earlier node first, in the order of the later one. A thousand nodes have half a million pairs, and
 * few of them are worth a look.
 */
export function alikeNodes(nodes: readonly DeclaredNode[]): readonly (readonly [DeclaredNode, DeclaredNode])[] {
  const met = new Map<string, number[]>()
  return nodes.flatMap((node, index) => {
    const shared = sharedKeys(node)
    const paths = withParents(node.data)
    const asked = [...shared, `inside ${node.data}`, ...paths.map((path) => `data ${path}`)]
    const found = new Set(asked.flatMap((key) => met.get(key) ?? []))
    for (const key of [...shared, `data ${node.data}`, ...paths.map((path) => `inside ${path}`)]) {
      const others = met.get(key)
      if (others === undefined) met.set(key, [index])
      else others.push(index)
    }
    const before = [...found].toSorted((a, b) => a - b)
    return before.flatMap((other) => (nodes[other] === undefined ? [] : [[nodes[other], node] as const]))
  })
}

function sharedKeys(node: DeclaredNode): readonly string[] {
  const loopback = isLoopback(node.host) ? [`loopback ${node.port}`] : []
  return [`slot ${slotName(node.name)}`, `port ${hostKey(node.host)} ${node.port}`, ...loopback]
}

/** The path and every directory that it is in. */
function withParents(path: string): readonly string[] {
  const parent = dirname(path)
  return parent === path ? [path] : [path, ...withParents(parent)]
}
