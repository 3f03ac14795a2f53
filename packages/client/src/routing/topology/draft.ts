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
  const node = { ...draft.nodes.get(address), ...changed }
  for (const [key, value] of Object.entries(node)) if (value === undefined) delete node[key as keyof NodeView]
  draft.nodes.set(address, node as NodeView)
}

export function remember(draft: Draft, changed: Partial<Memory>): void {
  draft.memory = { ...draft.memory, ...changed }
}

export function rememberPrimary(draft: Draft, primary: KnownPrimary): void {
  remember(draft, { primary })
  draft.histories = { ...draft.histories, current: primary.lineage }
}
