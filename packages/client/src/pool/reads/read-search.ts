import { nowMs } from '../../base/clock.js'
import type { Floor } from '../../routing/consistency/floor.js'
import type { Route, RouteReason } from '../../routing/route.js'
import type { Statement } from '../../routing/statement/statement.js'
import type { Counters } from '../calls/counters.js'
import type { Entered } from '../connections/lanes/lanes.js'
import type { ReadCost } from '../connections/lanes/read-cost.js'
import { ownSeat, type Seat } from '../connections/lanes/seat.js'
import type { Acquired, NodeConnections } from '../connections/node-connections.js'
import type { ServerConnection } from '../connections/server-connection.js'
import type { Primary } from '../servers/primary.js'
import type { PoolScope } from '../sessions/scopes.js'
import type { Captures } from '../writes/captures.js'
import type { Parking } from './parking.js'
import type { PrimaryReads } from './primary-reads.js'

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
  /** Whether a node gets nothing at this moment. */
  readonly isEjected: (address: string) => boolean
  /** The pure decision, with what the pool measures. */
  readonly route: (search: Search, budgetMs: number) => Route
  /** What a connection is known to have: enough, or the question has to be asked on it; `no` when it leads elsewhere. */
  readonly holds: (connection: ServerConnection, floor: Floor) => 'yes' | 'ask' | 'no'
  /** Asks the server at the other end of this very connection (rule R3). */
  readonly observe: (connection: ServerConnection, floor: Floor) => Promise<boolean>
  readonly whenChanged: (timeoutMs: number, told: () => void) => void
  readonly report: (address: string, error: unknown) => void
}

/**
 * Calls back once. The reason is why it is this connection. Whether its server has what the read must see may not be known: then its
 * position is asked in one flight with the read, and what it answers counts only when the position suffices (rule R3).
 */
export type Found = (
  error: Error | undefined,
  seat: Seat | undefined,
  reason: RouteReason | undefined,
  isUnproven?: boolean,
) => void

/** A read that looks for its server. */
export type Search = {
  readonly statement: Statement
  readonly scope: PoolScope
  readonly begunMs: number
  /** Undefined for who needs a connection of its own. */
  cost: ReadCost | undefined
  /** Fixed when the read was issued; a retry keeps or raises it (rule R7). */
  floor: Floor
  /** Nodes that it was on, or that have proven to be behind. */
  excluded: ReadonlySet<string>
  waitedForReplicaMs: number
  wasBehind: boolean
}

const none: ReadonlySet<string> = new Set()

/** Why the primary answers what a replica could have: so many at a time, and a replica after all when the primary vanishes. */
const fallbacks: ReadonlySet<RouteReason> = new Set<RouteReason>([
  'replicas-behind',
  'no-replica',
  'history-unknown',
  'writes-uncertain',
])

export function searchFor(statement: Statement, scope: PoolScope, floor: Floor, cost?: ReadCost): Search {
  return { statement, scope, begunMs: nowMs(), cost, floor, excluded: none, waitedForReplicaMs: 0, wasBehind: false }
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
        if (route.check === 'observed' && asksItself(search)) return this.#park(search, route.address, found)
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

  /** For one that was sent there, and failed: nodes that were behind before it was sent may have what it needs by now. */
  findAgain(search: Search, address: string, found: Found): void {
    search.excluded = none
    search.waitedForReplicaMs = 0
    this.findElsewhere(search, address, found)
  }

  onPrimary(search: Search, reason: RouteReason, found: Found): void {
    const isFallback = fallbacks.has(reason)
    const whenNone = isFallback ? () => this.#anew(search, found) : undefined
    const acquired: Acquired = (error, connection) => {
      if (isFallback && connection !== undefined) this.#host.counters.fallbacks += 1
      found(error, connection && ownSeat(connection), reason)
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
    // It may have been ejected while the read waited for it, and one that hangs answers nobody who connects.
    const isOut = node === undefined || node.isUnfit || this.#host.isEjected(address)
    if (isOut) return this.findElsewhere(search, address, found)
    const entered: Entered = (error, seat) => {
      if (seat === undefined) {
        this.#host.report(address, error)
        return this.findElsewhere(search, address, found)
      }
      const holds = this.#host.holds(seat.connection, search.floor)
      if (holds === 'yes') return found(undefined, seat, reason)
      if (holds === 'ask' && asksItself(search)) return found(undefined, seat, 'replica-observed', true)
      if (holds === 'ask') return this.#observe(search, seat, found)
      seat.close()
      this.#host.report(address, undefined)
      this.findElsewhere(search, address, found)
    }
    if (search.cost === undefined)
      node.acquire((error, connection) => entered(error, connection && ownSeat(connection)))
    else node.lanes.enter(search.cost, entered)
  }

  /** Rule R3: what this connection sees from now on is at least what it answers now. */
  #observe(search: Search, seat: Seat, found: Found): void {
    const { address } = seat.connection.node
    this.#host.counters.observedAsked += 1
    this.#host.observe(seat.connection, search.floor).then(
      (isEnough) => {
        if (isEnough) return found(undefined, seat, 'replica-observed')
        seat.giveBack()
        this.wasBehind(search, address, found)
      },
      (error: unknown) => {
        seat.close()
        this.#host.report(address, error)
        this.findElsewhere(search, address, found)
      },
    )
  }

  /** A replica was asked, and is not where the read needs it. */
  wasBehind(search: Search, address: string, found: Found): void {
    this.#host.counters.observedRefused += 1
    search.wasBehind = true
    if (search.waitedForReplicaMs >= this.#host.parkMs) this.findElsewhere(search, address, found)
    else this.#park(search, address, found)
  }

  #park(search: Search, address: string, found: Found): void {
    const { counters, parking, parkMs } = this.#host
    // It asks when the replica should be there, and waits to be told that it is when that was too early.
    const isFirst = asksItself(search) && !search.wasBehind
    if (isFirst && parking.isDue(address, search.floor)) {
      return this.#onReplica(search, address, 'replica-observed', found)
    }
    counters.parkedTotal += 1
    if (isFirst) {
      return parking.whenDue(address, search.floor, Math.max(0, parkMs - search.waitedForReplicaMs), (waitedMs) => {
        counters.parkedMs += waitedMs
        search.waitedForReplicaMs += waitedMs
        this.#onReplica(search, address, 'replica-waited-for', found)
      })
    }
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

/** Whether the replica's position can be asked in one flight with the read: where the rows can be held against positions afterwards. */
function asksItself({ cost, floor }: Search): boolean {
  return cost !== undefined && floor.kind === 'at'
}

/** When it has waited for all that there are, none is left. */
function reasonOf({ waitedForReplicaMs }: Search, reason: RouteReason): RouteReason {
  return reason === 'no-replica' && waitedForReplicaMs > 0 ? 'replicas-behind' : reason
}
