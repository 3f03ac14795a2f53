import { nowMs } from '../base/clock.js'
import { MaestraError } from '../base/error.js'
import type { Commits } from '../routing/consistency/commits.js'
import type { Floor } from '../routing/consistency/floor.js'
import type { Route, RouteReason } from '../routing/route.js'
import type { Statement } from '../routing/statement/statement.js'
import type { Topology } from '../routing/topology/topology.js'
import type { Captures } from './captures.js'
import type { NodeConnections } from './node-connections.js'
import { isServerError } from './outcome.js'
import type { Parking } from './parking.js'
import type { Primary } from './primary.js'
import type { PrimaryReads } from './primary-reads.js'
import type { QueryCall, QueryCallback } from './query-arguments.js'
import { againAfter } from './read-errors.js'
import type { PoolScope } from './scopes.js'
import { sendCall } from './send-call.js'
import type { ServerConnection } from './server-connection.js'
import type { Counters } from './statistics.js'

/** What reads need of the pool around them. */
export type ReadHost = {
  readonly commits: Commits
  readonly captures: Captures
  readonly parking: Parking
  readonly primary: Primary
  readonly primaryReads: PrimaryReads
  readonly counters: Counters
  /** Milliseconds that a read may wait for a replica before the primary answers (rule R5). */
  readonly parkMs: number
  /** Milliseconds that a read may wait for the position of a commit, for a connection of the primary, for a primary. */
  readonly deadlineMs: number
  readonly topology: () => Topology
  readonly nodeOf: (address: string) => NodeConnections | undefined
  /** The pure decision, with what the pool measures. */
  readonly route: (
    statement: Statement,
    floor: Floor,
    scope: PoolScope,
    excluded: ReadonlySet<string>,
    budgetMs: number,
  ) => Route
  /** What a connection is known to have: enough, or the question has to be asked on it; `no` when it leads elsewhere. */
  readonly holds: (connection: ServerConnection, floor: Floor) => 'yes' | 'ask' | 'no'
  /** Asks the server at the other end of this very connection (rule R3). */
  readonly observe: (connection: ServerConnection, floor: Floor) => Promise<boolean>
  readonly whenChanged: (timeoutMs: number, told: () => void) => void
  readonly report: (address: string, error: unknown) => void
  /** Writes are told even of a read that only a hint calls one. */
  readonly send: (
    connection: ServerConnection,
    call: QueryCall,
    statement: Statement,
    scope: PoolScope,
    told: QueryCallback,
  ) => void
}

type Read = {
  readonly call: QueryCall
  readonly statement: Statement
  readonly scope: PoolScope
  readonly told: QueryCallback
  readonly begunMs: number
  /** Fixed when the read was issued; a retry keeps or raises it (rule R7). */
  floor: Floor
  /** Nodes that it was on, or that have proven to be behind. */
  excluded: ReadonlySet<string>
  waitedForReplicaMs: number
  isRetried: boolean
}

const none: ReadonlySet<string> = new Set()

/** Takes each read to a server that has what it must see, in the order of rule R1: known, observed, waited for, the primary. */
export class Reads {
  readonly #host: ReadHost

  constructor(host: ReadHost) {
    this.#host = host
  }

  run(call: QueryCall, statement: Statement, scope: PoolScope, floor: Floor, told: QueryCallback): void {
    this.#next({
      call,
      statement,
      scope,
      told,
      begunMs: nowMs(),
      floor,
      excluded: none,
      waitedForReplicaMs: 0,
      isRetried: false,
    })
  }

  #next(read: Read): void {
    const { statement, floor, scope, excluded } = read
    const route = this.#host.route(statement, floor, scope, excluded, this.#host.parkMs - read.waitedForReplicaMs)
    switch (route.kind) {
      case 'replica':
        return this.#onReplica(read, route.address, route.reason, route.check === 'observed')
      case 'primary':
        return this.#onPrimary(read, route.reason)
      case 'parked':
        return this.#park(read, route.address)
      case 'wait':
        return route.awaited === 'capture' ? this.#awaitCapture(read) : this.#awaitPrimary(read)
    }
  }

  #onReplica(read: Read, address: string, reason: RouteReason, isDoubtful: boolean): void {
    const node = this.#host.nodeOf(address)
    if (node === undefined) return this.#exclude(read, address)
    node.acquire((error, connection) => {
      if (connection === undefined) {
        this.#host.report(address, error)
        return this.#exclude(read, address)
      }
      const holds = this.#host.holds(connection, read.floor)
      if (holds === 'yes') return this.#send(read, connection, reason)
      if (holds === 'no') {
        connection.release(true)
        this.#host.report(address, undefined)
        return this.#exclude(read, address)
      }
      this.#observe(read, connection, isDoubtful ? reason : 'replica-observed')
    })
  }

  /** Rule R3: what this connection sees from now on is at least what it answers now. */
  #observe(read: Read, connection: ServerConnection, reason: RouteReason): void {
    this.#host.counters.observedAsked += 1
    this.#host.observe(connection, read.floor).then(
      (isEnough) => {
        if (isEnough) return this.#send(read, connection, reason)
        this.#host.counters.observedRefused += 1
        connection.release()
        // It is known by now how far this node is; whether it is worth a wait is decided again.
        if (read.waitedForReplicaMs >= this.#host.parkMs) return this.#exclude(read, connection.node.address)
        this.#park(read, connection.node.address)
      },
      (error: unknown) => {
        connection.release(true)
        this.#host.report(connection.node.address, error)
        this.#exclude(read, connection.node.address)
      },
    )
  }

  #park(read: Read, address: string): void {
    const { counters, parking, parkMs } = this.#host
    counters.parkedTotal += 1
    parking.park(address, read.floor, Math.max(0, parkMs - read.waitedForReplicaMs), (outcome, waitedMs) => {
      counters.parkedMs += waitedMs
      read.waitedForReplicaMs += waitedMs
      if (outcome === 'satisfied') return this.#onReplica(read, address, 'replica-waited-for', true)
      counters.parkedExpired += 1
      this.#exclude(read, address)
    })
  }

  #exclude(read: Read, address: string): void {
    read.excluded = new Set([...read.excluded, address])
    this.#next(read)
  }

  #awaitCapture(read: Read): void {
    if (read.floor.kind !== 'pending') return this.#next(read)
    this.#host.captures.whenKnown(read.floor, this.#host.deadlineMs, (floor) => {
      if (floor === undefined) return this.#onPrimary(read, 'writes-uncertain')
      read.floor = floor
      this.#next(read)
    })
  }

  #awaitPrimary(read: Read): void {
    const leftMs = this.#host.deadlineMs - (nowMs() - read.begunMs)
    if (leftMs <= 0) return read.told(this.#host.primary.unknownError(), undefined)
    this.#host.whenChanged(leftMs, () => {
      // Other nodes may have what this read needs by now.
      read.excluded = none
      read.waitedForReplicaMs = 0
      this.#next(read)
    })
  }

  #onPrimary(read: Read, reason: RouteReason): void {
    const isFallback = reason === 'replicas-behind' || reason === 'no-replica' || reason === 'history-unknown'
    if (isFallback) this.#host.counters.fallbacks += 1
    this.#host.primaryReads.acquire(read.floor, isFallback, (error, connection) => {
      if (connection === undefined) return read.told(error ?? noConnection(), undefined)
      this.#send(read, connection, reason)
    })
  }

  #send(read: Read, connection: ServerConnection, reason: RouteReason): void {
    const { address } = connection.node
    const wasReplica = connection.identity?.inRecovery === true
    this.#host.counters.count(address, reason)
    read.scope.lastNode = address
    const done: QueryCallback = (error, result) => {
      connection.release(error === undefined || isServerError(error) ? undefined : error)
      if (error === undefined) return read.told(undefined, result)
      this.#failed(read, address, reason, error, wasReplica)
    }
    if (read.statement.mayWrite) this.#host.send(connection, read.call, read.statement, read.scope, done)
    else sendCall(connection, read.call, done)
  }

  #failed(read: Read, address: string, reason: RouteReason, error: Error, wasReplica: boolean): void {
    this.#host.report(address, error)
    const again = againAfter(error, wasReplica)
    if (again === 'no' || read.isRetried || (read.statement.mayWrite && !wasReplica)) {
      return read.told(error, undefined)
    }
    read.isRetried = true
    this.#host.counters.retries += 1
    this.#host.counters.undo(address, reason)
    if (again === 'on-primary') return this.#onPrimary(read, 'refused-by-replica')
    this.#exclude(read, address)
  }
}

function noConnection(): MaestraError {
  return new MaestraError('connection-failed', 'the pool gave no connection')
}
