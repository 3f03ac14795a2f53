import { chooseRoles } from './choose-primary.js'
import { type Draft, draftOf, topologyOf } from './draft.js'
import { noHistories } from './histories.js'
import { noteAnswer } from './note-answer.js'
import { noteEvidence } from './note-evidence.js'
import { noteFailure, noteLoss } from './note-failure.js'
import { noteFollowing } from './note-following.js'
import { noteProgress } from './note-progress.js'
import type { Address, NodeView, Topology, TopologyOptions } from './topology.js'
import type { TopologyEvent } from './topology-event.js'
import type { TopologyInput } from './topology-input.js'

export type Reduced = {
  readonly topology: Topology
  readonly events: readonly TopologyEvent[]
  /** Nodes to probe at once. */
  readonly askAgain: readonly Address[]
}

export function topologyOfAddresses(addresses: readonly Address[], options: Partial<TopologyOptions> = {}): Topology {
  const unseen = (address: Address): NodeView => ({
    address,
    role: 'unknown',
    answers: false,
    readOnly: false,
    receiverSeen: false,
    pooler: false,
    connection: 0,
    diverged: false,
  })
  return {
    nodes: new Map(addresses.map((address) => [address, unseen(address)])),
    primary: undefined,
    primaryState: 'unknown',
    histories: noHistories,
    memory: { superseded: [], warned: [], course: [] },
    options: { primaryFreshMs: 1000, ...options },
  }
}

/** What is known after one more thing was heard. Pure: `nowMs` is any clock that never goes back. */
export function reduce(topology: Topology, input: TopologyInput, nowMs: number): Reduced {
  const draft = draftOf(topology)
  note(draft, input, nowMs)
  chooseRoles(draft, nowMs)
  noteFollowing(draft, input, nowMs)
  return { topology: topologyOf(draft), events: draft.events, askAgain: [...draft.askAgain] }
}

function note(draft: Draft, input: TopologyInput, nowMs: number): void {
  switch (input.kind) {
    case 'answered':
      noteAnswer(draft, input, nowMs)
      break
    case 'progressed':
      noteProgress(draft, input, nowMs)
      break
    case 'failed':
      noteFailure(draft, input, nowMs)
      break
    case 'lost':
      noteLoss(draft, input)
      break
    case 'evidence':
      noteEvidence(draft, input, nowMs)
      break
    case 'tick':
      break
  }
}
