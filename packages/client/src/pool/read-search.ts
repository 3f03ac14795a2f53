import { nowMs } from '../base/clock.js'
import type { Floor } from '../routing/consistency/floor.js'
import type { Route, RouteReason } from '../routing/route.js'
import type { Statement } from '../routing/statement/statement.js'
import type { Captures } from './captures.js'
import type { Acquired, NodeConnections } from './node-connections.js'
import type { Parking } from './parking.js'
import type { Primary } from './primary.js'
import type { PrimaryReads } from './primary-reads.js'
import type { PoolScope } from './scopes.js'
import type { ServerConnection } from './server-connection.js'
import type { Counters } from './statistics.js'

/** What the search needs of the pool around it. */
export type SearchHost = {
  readonly captures: Captures
  readonly parking: Parking
  readonly primary: Primary
  readonly primaryReads: PrimaryReads
  readonly counters: Counters
  /** Milliseconds that a read may wait for a replica before the primary answers (rule R5). */
  readonly parkMs: number
  /** Milliseconds that a read may wait for the position of a commit, for a connection of the primary, for a primary. */
  readonly deadlineMs: number
  readonly nodeOf: (address: string) => NodeConnections | undefined
  /** The pure decision, with what the pool measures. */
  readonly route: (search: Search, budgetMs: number) => Route
  /** What a connection is known to have: enough, or the question has to be asked on it; `no` when it leads elsewhere. */
  readonly holds: (connection: ServerConnection, floor: Floor) => 'yes' | 'ask' | 'no'
  /** Asks the server at the other end of this very connection (rule R3). */
  readonly observe: (connection: ServerConnection, floor: Floor) => Promise<boolean>
  readonly whenChanged: (timeoutMs: number, told: () => void) => void
  readonly report: (address: string, error: unknown) => void
}

/** Calls back once. The reason is why it is this connection. */
export type Found = (
  error: Error | undefined,
  connection: ServerConnection | undefined,
  reason: RouteReason | undefined,
) => void

/** A read that looks for its server. */
export type Search = {
  readonly statement: Statement
  readonly scope: PoolScope
  readonly begunMs: number
  /** Fixed when the read was issued; a retry keeps or raises it (rule R7). */
  floor: Floor
  /** Nodes that it was on, or that have proven to be behind. */
  excluded: ReadonlySet<string>
  waitedForReplicaMs: number
}

const none: ReadonlySet<string> = new Set()

/** Why the primary answers what a replica could have: so many at a time, and a replica after all when the primary vanishes. */
const fallbacks: ReadonlySet<RouteReason> = new Set<RouteReason>([
  'replicas-behind',
  'no-replica',
  'history-unknown',
  'writes-uncertain',
])

export function searchFor(statement: Statement, scope: PoolScope, floor: Floor): Search {
  return { statement, scope, begunMs: nowMs(), floor, excluded: none, waitedForReplicaMs: 0 }
}

/** Finds for each read a connection to a server that has what it must see, in the order of rule R1: known, observed, waited for, the primary. */
export class ReadSearch {
  readonly #host: SearchHost

  constructor(host: SearchHost) {
    this.#host = host
  }

  find(search: Search, found: Found): void {
    const route = this.#host.route(search, this.#host.parkMs - search.waitedForReplicaMs)
    switch (route.kind) {
      case 'replica':
        return this.#onReplica(search, route.address, route.reason, found)
      case 'primary':
        return this.onPrimary(search, reasonOf(search, route.reason), found)
      case 'parked':
        return this.#park(search, route.address, found)
      case 'wait':
        return route.awaited === 'capture' ? this.#awaitCapture(search, found) : this.#awaitPrimary(search, found)
    }
  }

  /** The same without the nodes that it was on. */
  findElsewhere(search: Search, address: string, found: Found): void {
    search.excluded = new Set([...search.excluded, address])
    this.find(search, found)
  }

  onPrimary(search: Search, reason: RouteReason, found: Found): void {
    const isFallback = fallbacks.has(reason)
    const whenNone = isFallback ? () => this.#anew(search, found) : undefined
    const acquired: Acquired = (error, connection) => {
      if (isFallback && connection !== undefined) this.#host.counters.fallbacks += 1
      found(error, connection, reason)
    }
    this.#host.primaryReads.acquire(search.floor, isFallback, acquired, whenNone)
  }

  /** Rule T4: the primary that was to answer is away by now, so a replica may. Other nodes may have what the read needs as well. */
  #anew(search: Search, found: Found): void {
    search.excluded = none
    search.waitedForReplicaMs = 0
    this.find(search, found)
  }

  #onReplica(search: Search, address: string, reason: RouteReason, found: Found): void {
    const node = this.#host.nodeOf(address)
    if (node === undefined || node.isUnfit) return this.findElsewhere(search, address, found)
    node.acquire((error, connection) => {
      if (connection === undefined) {
        this.#host.report(address, error)
        return this.findElsewhere(search, address, found)
      }
      const holds = this.#host.holds(connection, search.floor)
      if (holds === 'yes') return found(undefined, connection, reason)
      if (holds === 'ask') return this.#observe(search, connection, found)
      connection.release(true)
      this.#host.report(address, undefined)
      this.findElsewhere(search, address, found)
    })
  }

  /** Rule R3: what this connection sees from now on is at least what it answers now. */
  #observe(search: Search, connection: ServerConnection, found: Found): void {
    const { address } = connection.node
    this.#host.counters.observedAsked += 1
    this.#host.observe(connection, search.floor).then(
      (isEnough) => {
        if (isEnough) return found(undefined, connection, 'replica-observed')
        this.#host.counters.observedRefused += 1
        connection.release()
        if (search.waitedForReplicaMs >= this.#host.parkMs) this.findElsewhere(search, address, found)
        else this.#park(search, address, found)
      },
      (error: unknown) => {
        connection.release(true)
        this.#host.report(address, error)
        this.findElsewhere(search, address, found)
      },
    )
  }

  #park(search: Search, address: string, found: Found): void {
    const { counters, parking, parkMs } = this.#host
    counters.parkedTotal += 1
    parking.park(address, search.floor, Math.max(0, parkMs - search.waitedForReplicaMs), (outcome, waitedMs) => {
      counters.parkedMs += waitedMs
      search.waitedForReplicaMs += waitedMs
      if (outcome === 'satisfied') return this.#onReplica(search, address, 'replica-waited-for', found)
      counters.parkedExpired += 1
      this.findElsewhere(search, address, found)
    })
  }

  #awaitCapture(search: Search, found: Found): void {
    if (search.floor.kind !== 'pending') return this.find(search, found)
    this.#host.captures.whenKnown(search.floor, this.#host.deadlineMs, (floor) => {
      if (floor === undefined) return this.onPrimary(search, 'writes-uncertain', found)
      search.floor = floor
      this.find(search, found)
    })
  }

  #awaitPrimary(search: Search, found: Found): void {
    const leftMs = this.#host.deadlineMs - (nowMs() - search.begunMs)
    if (leftMs <= 0) return found(this.#host.primary.unknownError(), undefined, undefined)
    this.#host.whenChanged(leftMs, () => this.#anew(search, found))
  }
}

/** When it has waited for all that there are, none is left. */
function reasonOf({ waitedForReplicaMs }: Search, reason: RouteReason): RouteReason {
  return reason === 'no-replica' && waitedForReplicaMs > 0 ? 'replicas-behind' : reason
}
