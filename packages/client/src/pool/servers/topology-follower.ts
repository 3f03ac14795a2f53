import { nowMs } from '../../base/clock.js'
import type { ReplayDelay } from '../../routing/balance/replay-delay.js'
import type { Commits } from '../../routing/consistency/commits.js'
import type { Judge } from '../../routing/consistency/judge.js'
import { type PrimaryIncarnation, samePrimary } from '../../routing/consistency/primary-incarnation.js'
import type { NodeView, Topology } from '../../routing/topology/topology.js'
import type { ServerConnection } from '../connections/server-connection.js'

type Waiting = { readonly told: () => void; readonly timer: NodeJS.Timeout }

/** Carries what the watch has seen to the state of commits, to the estimates of delay, and to those who wait for a change. */
export class TopologyFollower {
  readonly #commits: Commits
  readonly #delay: ReplayDelay
  readonly #judge: Judge
  readonly #connectionsOf: (address: string) => Iterable<ServerConnection>
  readonly #primaryChanged: () => void
  readonly #watching = new Map<string, number>()
  readonly #replayedAt = new Map<string, number>()
  readonly #waiting = new Set<Waiting>()
  #histories = ''
  #primary: PrimaryIncarnation | undefined
  #state = ''

  constructor(options: {
    readonly commits: Commits
    readonly delay: ReplayDelay
    readonly judge: Judge
    readonly connectionsOf: (address: string) => Iterable<ServerConnection>
    readonly primaryChanged: () => void
  }) {
    this.#commits = options.commits
    this.#delay = options.delay
    this.#judge = options.judge
    this.#connectionsOf = options.connectionsOf
    this.#primaryChanged = options.primaryChanged
  }

  /** The incarnation of the known primary, under which its connections vouch for commits. */
  get primary(): PrimaryIncarnation | undefined {
    return this.#primary
  }

  follow(topology: Topology): void {
    for (const node of topology.nodes.values()) this.#followNode(node, topology)
    this.#followPrimary(topology)
    const state = stateOf(topology)
    if (state === this.#state) return
    this.#state = state
    this.#tellWaiting()
  }

  /** Calls back once: when roles or health of a server have changed, or when the time is over. */
  whenChanged(timeoutMs: number, told: () => void): void {
    const waiting: Waiting = {
      told,
      timer: setTimeout(() => {
        this.#waiting.delete(waiting)
        told()
      }, timeoutMs),
    }
    this.#waiting.add(waiting)
  }

  stop(): void {
    this.#tellWaiting()
  }

  /** A connection of the watch vouches for commits like any other. */
  #followNode(node: NodeView, topology: Topology): void {
    const before = this.#watching.get(node.address) ?? 0
    if (before !== node.connection) {
      this.#watching.set(node.address, node.connection)
      if (before !== 0) this.#commits.connectionLost(before)
      if (node.connection !== 0 && node.address === topology.primary?.address && this.#primary !== undefined) {
        this.#commits.connectionOpened(node.connection, this.#primary)
      }
    }
    const { replayed } = node
    if (replayed === undefined || this.#replayedAt.get(node.address) === replayed.at) return
    this.#replayedAt.set(node.address, replayed.at)
    this.#delay.observed(node.address, replayed.lsn.bareLsn(), nowMs())
  }

  #followPrimary({ primary, histories }: Topology): void {
    if (primary?.systemIdentifier === undefined || primary.startedAt === undefined || primary.timeline === undefined)
      return
    const { systemIdentifier, startedAt, timeline } = primary
    const seen: PrimaryIncarnation = { systemIdentifier, startedAt, timeline }
    const isSame = samePrimary(seen, this.#primary)
    const told = wordsOf(histories)
    if (isSame && this.#histories === told) return
    this.#histories = told
    if (!isSame) {
      this.#primary = seen
      this.#delay.forget()
      // A promoted server keeps its connections: they vouch for what it writes from now on.
      for (const connection of this.#connectionsOf(primary.address)) {
        const { identity } = connection
        if (identity?.startedAt !== startedAt) continue
        connection.identity = { ...identity, inRecovery: false }
        this.#commits.connectionOpened(connection.number, seen)
      }
      if (primary.connection !== 0) this.#commits.connectionOpened(primary.connection, seen)
    }
    this.#commits.primaryKnown(seen, this.#judge)
    if (!isSame) this.#primaryChanged()
  }

  #tellWaiting(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const { told, timer } of waiting) {
      clearTimeout(timer)
      told()
    }
  }
}

/** What judgements of positions rest on, without how far each history has come. */
function wordsOf({ lineages, current }: Topology['histories']): string {
  let words = `${current}`
  for (const { id, switchpoint, parentTimeline } of lineages.values()) {
    words += ` ${id} ${switchpoint} ${parentTimeline}`
  }
  return words
}

/** What statements wait for: who is the primary, and which nodes may be used. */
function stateOf({ nodes, primary, primaryState }: Topology): string {
  let state = `${primaryState} ${primary?.address} ${primary?.startedAt}`
  for (const { role, ejected, answers, startedAt, pooler } of nodes.values()) {
    state += ` ${role} ${answers} ${ejected === undefined} ${startedAt} ${pooler}`
  }
  return state
}
