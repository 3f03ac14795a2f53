import type { Histories } from './histories.js'
import type { Address, KnownPrimary, Memory, NodeView, PrimaryState, Topology, TopologyOptions } from './topology.js'
import type { TopologyEvent } from './topology-event.js'

/** A topology in the making: a copy that one call of reduce() changes and nobody else sees. */
export type Draft = {
  readonly nodes: Map<Address, NodeView>
  primary: Address | undefined
  primaryState: PrimaryState
  histories: Histories
  memory: Memory
  readonly options: TopologyOptions
  readonly events: TopologyEvent[]
  readonly askAgain: Set<Address>
}

export function draftOf(topology: Topology): Draft {
  const { nodes, primary, primaryState, histories, memory, options } = topology
  return {
    nodes: new Map(nodes),
    primary: primary?.address,
    primaryState,
    histories,
    memory,
    options,
    events: [],
    askAgain: new Set(),
  }
}

export function topologyOf(draft: Draft): Topology {
  const { nodes, primary, primaryState, histories, memory, options } = draft
  return {
    nodes,
    primary: primary === undefined ? undefined : nodes.get(primary),
    primaryState,
    histories,
    memory,
    options,
  }
}

export function nodeOf(draft: Draft, address: Address): NodeView | undefined {
  return draft.nodes.get(address)
}

/** Undefined takes a field away. */
export type NodeChange = { readonly [K in keyof NodeView]?: NodeView[K] | undefined }

export function change(draft: Draft, address: Address, changed: NodeChange): void {
  const node: Record<string, unknown> = { ...draft.nodes.get(address) }
  let isLess = false
  for (const [field, value] of Object.entries(changed)) {
    if (value !== undefined) node[field] = value
    else if (field in node) isLess = true
  }
  draft.nodes.set(address, (isLess ? without(node, changed) : node) as NodeView)
}

/** A new one: an object from which a field was deleted is slow to read and to copy ever after, and so are its copies. */
function without(node: Readonly<Record<string, unknown>>, changed: NodeChange): Readonly<Record<string, unknown>> {
  const isKept = ([field]: readonly [string, unknown]) =>
    !(field in changed) || changed[field as keyof NodeView] !== undefined
  return Object.fromEntries(Object.entries(node).filter(isKept))
}

export function remember(draft: Draft, changed: Partial<Memory>): void {
  draft.memory = { ...draft.memory, ...changed }
}

export function rememberPrimary(draft: Draft, primary: KnownPrimary): void {
  remember(draft, { primary })
  draft.histories = { ...draft.histories, current: primary.lineage }
}
