import { sep } from 'node:path'
import { type DeclaredNode, slotName } from '../../cluster/declared-cluster.js'
import type { Finding } from '../../cluster/finding.js'
import { alikeNodes } from '../alike-nodes.js'
import { hostKey, isLoopback } from '../host-key.js'
import { placeOf } from '../place.js'
import type { Rule, View } from '../rule.js'

/** Nodes share neither their name, their slot, their port nor their data directory. */
export const duplicateNodes: Rule = {
  name: 'duplicate-nodes',
  why: 'Two servers cannot listen on one port or work in one data directory, and nodes are told apart by their names, also as replication slots.',
  check(view) {
    return alikeNodes(view.declared?.nodes ?? []).flatMap(([before, node]) => pairFindings(view, before, node))
  },
}

/** What two nodes share, said of the later one. */
function pairFindings(view: View, before: DeclaredNode, node: DeclaredNode): Finding[] {
  return [sharedName(before, node), sharedPort(before, node), sharedData(before, node)].flatMap((shared) => {
    if (shared === undefined) return []
    const { key, ...said } = shared
    const index = view.declared?.nodes.indexOf(node) ?? -1
    return [{ ...said, severity: 'error', place: placeOf(view, ['nodes', index, key]) }]
  })
}

type Shared = Pick<Finding, 'rule' | 'message' | 'hint'> & { readonly key: 'name' | 'port' | 'data' }

function sharedName(before: DeclaredNode, node: DeclaredNode): Shared | undefined {
  if (before.name === node.name) {
    const message = `two nodes have the name ${node.name}`
    return { rule: 'duplicate-name', key: 'name', message, hint: 'give each node a name of its own' }
  }
  const slot = slotName(node.name)
  if (slotName(before.name) !== slot) return undefined
  const message = `nodes ${before.name} and ${node.name} would share the replication slot ${slot}`
  return {
    rule: 'duplicate-slot',
    key: 'name',
    message,
    hint: 'a slot has `_` for `-`: choose names that differ in more',
  }
}

function sharedPort(before: DeclaredNode, node: DeclaredNode): Shared | undefined {
  if (before.port !== node.port) return undefined
  const hint = 'give each node a `port` of its own'
  if (hostKey(before.host) === hostKey(node.host)) {
    const message = `nodes ${before.name} and ${node.name} both listen on ${node.host}, port ${node.port}`
    return { rule: 'duplicate-port', key: 'port', message, hint }
  }
  const socket = sharedSocketDirectory(before, node)
  if (socket === undefined) return undefined
  const message = `nodes ${before.name} and ${node.name} would make the same Unix socket: port ${node.port} in ${socket}`
  return { rule: 'duplicate-port', key: 'port', message, hint: `${hint}, or its own \`unix_socket_directories\`` }
}

/**
 * Where two servers on different loopback addresses of this machine meet all the same: the socket is named after the
 * port alone.
 */
function sharedSocketDirectory(before: DeclaredNode, node: DeclaredNode): string | undefined {
  if (!isLoopback(before.host) || !isLoopback(node.host)) return undefined
  const mine = socketDirectories(node)
  return socketDirectories(before).find((directory) => mine.includes(directory))
}

function socketDirectories(node: DeclaredNode): string[] {
  const declared = node.parameters['unix_socket_directories'] ?? 'the default directory'
  return declared.split(',').flatMap((directory) => directory.trim() || [])
}

function sharedData(before: DeclaredNode, node: DeclaredNode): Shared | undefined {
  const hint = 'give each node a data directory of its own, beside the others'
  if (before.data === node.data) {
    const message = `nodes ${before.name} and ${node.name} have the same data directory ${node.data}`
    return { rule: 'duplicate-data', key: 'data', message, hint }
  }
  const [inner, outer] = isInside(before.data, node.data) ? [before, node] : [node, before]
  if (!isInside(inner.data, outer.data)) return undefined
  const message = `the data directory of node ${inner.name} lies inside that of node ${outer.name}: ${inner.data}`
  return { rule: 'nested-data', key: 'data', message, hint }
}

function isInside(inner: string, outer: string): boolean {
  return inner.startsWith(outer.endsWith(sep) ? outer : outer + sep)
}
