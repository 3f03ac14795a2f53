import { nowMs } from '../base/clock.js'
import { MaestraError } from '../base/error.js'
import { reduce, topologyOfAddresses } from './topology/reduce.js'
import type { Address, NodeView, Topology } from './topology/topology.js'
import type { TopologyEvent } from './topology/topology-event.js'
import type { Evidence, TopologyInput } from './topology/topology-input.js'
import type { Connect } from './watch-connection.js'
import { type Answer, type NodeProgress, WatchedNode } from './watched-node.js'

/** @public */
export type WatchOptions = {
  /** `host:port`, each once, in any order. */
  readonly addresses: readonly Address[]
  readonly connect: Connect
  /** Between two probes of a replica, within a fifth; 500 by default. */
  readonly intervalMs?: number
  /** For a connection and for each answer; what is later counts as hung, and its connection is destroyed. 1000 by default. */
  readonly deadlineMs?: number
  /** A primary that has not answered for so long is away; it is probed four times as often. 1000 by default. */
  readonly primaryFreshMs?: number
  /** From 0 to 1, for jitter. */
  readonly random?: () => number
  /** Whether the watch keeps the process alive; true by default. */
  readonly keepsAlive?: boolean
}

type Listener<T> = (value: T) => void

/**
 * Watches the servers behind a list of addresses, each over one connection of its own, and holds what is known of them.
 * Everything that is heard is reduced at once; listeners are called synchronously, events first.
 */
/** @public */
export class Watch {
  readonly #nodes = new Map<Address, WatchedNode>()
  readonly #events = new Set<Listener<TopologyEvent>>()
  readonly #changes = new Set<Listener<Topology>>()
  readonly #intervalMs: number
  readonly #random: () => number
  readonly #keepsAlive: boolean
  #topology: Topology
  #silence: NodeJS.Timeout | undefined
  #silenceAtMs = 0

  constructor(options: WatchOptions) {
    const { addresses, connect, intervalMs = 500, deadlineMs = 1000, primaryFreshMs = 1000 } = options
    const { random = Math.random, keepsAlive = true } = options
    this.#intervalMs = intervalMs
    this.#random = random
    this.#keepsAlive = keepsAlive
    this.#topology = topologyOfAddresses(addresses, { primaryFreshMs })
    for (const address of this.#topology.nodes.keys()) {
      const pauseMs = () => this.#pauseMs(address)
      const heard = (input: TopologyInput) => this.#hear(input)
      this.#nodes.set(address, new WatchedNode({ address, connect, deadlineMs, random, keepsAlive, heard, pauseMs }))
    }
  }

  get topology(): Topology {
    return this.#topology
  }

  start(): void {
    for (const node of this.#nodes.values()) node.start()
  }

  /** Closes its connections; whatever waits for an answer is rejected. Nothing is heard after it. */
  stop(): void {
    clearTimeout(this.#silence)
    for (const node of this.#nodes.values()) node.stop()
  }

  /** What the pool's own statements say of a server. */
  report(evidence: Evidence): void {
    this.#hear({ kind: 'evidence', ...evidence })
  }

  /** Probes nodes at once, all without a list. */
  probe(addresses: readonly Address[] = [...this.#nodes.keys()]): void {
    for (const address of addresses) this.#node(address).probe()
  }

  /** Watches a node by a new connection: one that was opened since leads elsewhere than the one by which it is watched. */
  renew(address: Address): void {
    this.#node(address).renew()
  }

  /** Runs a small text on the watching connection of a node. */
  ask(address: Address, text: string): Promise<Answer> {
    return this.#node(address).ask(text)
  }

  /** How far a server has come, with the numbers of the look. The topology learns it too. */
  progress(address: Address): Promise<NodeProgress> {
    return this.#node(address).progress()
  }

  /** Gives a function that ends it. */
  onEvent(listener: Listener<TopologyEvent>): () => void {
    this.#events.add(listener)
    return () => this.#events.delete(listener)
  }

  /** Called whenever something was heard, with the topology after it. Gives a function that ends it. */
  onChange(listener: Listener<Topology>): () => void {
    this.#changes.add(listener)
    return () => this.#changes.delete(listener)
  }

  #hear(input: TopologyInput): void {
    const before = this.#topology
    const { topology, events, askAgain } = reduce(before, input, nowMs())
    this.#topology = topology
    this.#armSilence()
    for (const event of events) for (const listener of [...this.#events]) listener(event)
    for (const listener of [...this.#changes]) listener(topology)
    if (before.primaryState !== topology.primaryState) for (const node of this.#nodes.values()) node.reschedule()
    for (const address of askAgain) this.#nodes.get(address)?.probe()
  }

  /** A primary that says nothing is noticed by nothing else. Each answer puts that off; the timer finds out when it fires. */
  #armSilence(): void {
    const { primary, options } = this.#topology
    const dueAtMs =
      primary?.lastAnswerAtMs === undefined
        ? Number.POSITIVE_INFINITY
        : primary.lastAnswerAtMs + options.primaryFreshMs + 1
    if (this.#silence !== undefined && this.#silenceAtMs <= dueAtMs) return
    clearTimeout(this.#silence)
    this.#silence = undefined
    if (dueAtMs === Number.POSITIVE_INFINITY) return
    this.#silenceAtMs = dueAtMs
    this.#silence = setTimeout(() => this.#silent(), Math.max(1, dueAtMs - nowMs()))
    if (!this.#keepsAlive) this.#silence.unref()
  }

  #silent(): void {
    this.#silence = undefined
    const { primary, options } = this.#topology
    if (primary?.lastAnswerAtMs === undefined) return
    if (nowMs() - primary.lastAnswerAtMs > options.primaryFreshMs) this.#hear({ kind: 'tick' })
    else this.#armSilence()
  }

  #pauseMs(address: Address): number {
    const { nodes, primary, options } = this.#topology
    const node = nodes.get(address)
    const retryMs = node?.ejected ? node.ejected.retryAtMs - nowMs() : undefined
    const spread = 0.8 + this.#random() * 0.4
    // Without a primary, each may be the one that is promoted, also one that was away for long.
    if (primary === undefined && retryMs !== undefined) return Math.min(retryMs, this.#intervalMs * spread)
    if (retryMs !== undefined) return retryMs
    const isUrgent = primary === undefined || primary.address === address || isOpen(node)
    return (isUrgent ? Math.min(this.#intervalMs, options.primaryFreshMs / 4) : this.#intervalMs) * spread
  }

  #node(address: Address): WatchedNode {
    const node = this.#nodes.get(address)
    if (node === undefined) throw new MaestraError('bad-usage', `${address} is not watched`)
    return node
  }
}

function isOpen(node: NodeView | undefined): boolean {
  return node?.inRecovery === false
}
