import { nowMs } from '../../base/clock.js'
import { MaestraError } from '../../base/error.js'
import type { Floor } from '../../routing/consistency/floor.js'
import type { RouteReason } from '../../routing/route.js'
import type { Statement } from '../../routing/statement/statement.js'
import { askServer } from '../calls/ask-server.js'
import type { Counters } from '../calls/counters.js'
import { isServerError } from '../calls/outcome.js'
import type { QueryCall, QueryCallback } from '../calls/query-arguments.js'
import type { ReadCost } from '../connections/lanes/read-cost.js'
import { ReadCosts } from '../connections/lanes/read-costs.js'
import { giveBackBehindRead, type Seat } from '../connections/lanes/seat.js'
import { mayBeOfName, StatementNames } from '../connections/lanes/statement-names.js'
import type { ServerConnection } from '../connections/server-connection.js'
import type { PoolScope } from '../sessions/scopes.js'
import type { AutocommitWrites } from '../writes/autocommit-writes.js'
import { againAfter, isWriteRefused } from './read-errors.js'
import { type Found, type ReadSearch, type Search, searchFor } from './read-search.js'

export type ReadHost = {
  readonly search: ReadSearch
  readonly counters: Counters
  /** Whether reads may share connections. */
  readonly lanes: boolean
  /** Whether texts that come again in lanes stay prepared there. */
  readonly prepares: boolean
  /** Whether the role sees what the WAL receiver of a node does. */
  readonly seesReceiver: (address: string) => boolean
  /** Whether a connection whose position was asked right before it answered has what a read must see. */
  readonly proves: (connection: ServerConnection, floor: Floor) => boolean
  readonly report: (address: string, error: unknown) => void
  /** A standby says that it writes: its text is not sent to one again (rule R8). */
  readonly refusedAsWrite: (call: QueryCall) => void
  /** For a read that only a hint sends to replicas: it may write after all. */
  readonly sendWrite: AutocommitWrites['send']
}

type Read = {
  readonly call: QueryCall
  readonly search: Search
  readonly told: QueryCallback
  /** Of its text; undefined where it never shares a connection. */
  readonly cost: ReadCost | undefined
  isRetried: boolean
  /** It failed as a prepared statement. When it succeeds as a text, the statement was to blame. */
  doubtsName: boolean
}

/** Runs reads in autocommit: on the server that was found for each, and once more elsewhere after errors that call for it (rule R7). */
export class Reads {
  readonly #host: ReadHost
  readonly #costs = new ReadCosts()
  readonly #names = new StatementNames()

  constructor(host: ReadHost) {
    this.#host = host
  }

  run(call: QueryCall, statement: Statement, scope: PoolScope, floor: Floor, told: QueryCallback): void {
    const cost = this.#host.lanes && !statement.mayWrite ? this.#costs.of(call) : undefined
    const search = searchFor(statement, scope, floor, cost?.mayShare() ? cost : undefined)
    const read: Read = { call, search, cost, told, isRetried: false, doubtsName: false }
    this.#host.search.find(search, this.#sendWhenFound(read))
  }

  /** Something was changed in the database. */
  namesChanged(): void {
    this.#names.dropAll()
  }

  #sendWhenFound(read: Read): Found {
    return (error, seat, reason, isUnproven = false) => {
      if (seat === undefined || reason === undefined) {
        read.told(error ?? new MaestraError('connection-failed', 'the pool gave no connection'), undefined)
      } else if (read.isRetried) this.#sendIfAlive(read, seat, reason)
      else if (seat.isShared) this.#sendInLane(read, seat, reason, isUnproven)
      else this.#sendAlone(read, seat, reason)
    }
  }

  /** The other connections of a server that went away look well until they are used, and a read is sent again but once. */
  #sendIfAlive(read: Read, seat: Seat, reason: RouteReason): void {
    const { client, node } = seat.connection
    askServer(client, 'select').then(
      () => this.#sendAlone(read, seat, reason),
      (error: Error) => {
        seat.close()
        this.#host.report(node.address, error)
        this.#host.search.findElsewhere(read.search, node.address, this.#sendWhenFound(read))
      },
    )
  }

  #sendAlone(read: Read, seat: Seat, reason: RouteReason): void {
    const { call, cost, search } = read
    const { connection } = seat
    const { parameterChanges } = connection
    const sentAtMs = nowMs()
    this.#count(read, seat, reason)
    const done = this.#whenAnswered(read, seat, reason)
    if (search.statement.mayWrite) {
      connection.isDispensable = false
      this.#host.sendWrite(connection, call, search.statement, search.scope, (error, result) => {
        giveBackBehindRead(connection, parameterChanges, error)
        done(error, result)
      })
      return
    }
    const timed: QueryCallback = (error, result) => {
      cost?.tookAlone(nowMs() - sentAtMs)
      if (read.doubtsName && error === undefined) this.#names.drop(call)
      done(error, result)
    }
    seat.send(call, timed, () => {})
  }

  #sendInLane(read: Read, seat: Seat, reason: RouteReason, isUnproven: boolean): void {
    const { call, search } = read
    const { connection } = seat
    const { address } = connection.node
    this.#count(read, seat, reason)
    const askAlone = () => {
      this.#host.counters.undo(address, reason)
      this.#host.counters.askedAlone += 1
      search.cost = undefined
      this.#host.search.find(search, this.#sendWhenFound(read))
    }
    const done = this.#whenAnswered(read, seat, reason)
    if (isUnproven) {
      this.#host.counters.observedAsked += 1
      seat.look(this.#host.seesReceiver(address))
    }
    const named = this.#host.prepares ? this.#names.named(call) : call
    seat.send(
      named,
      (error, result) => {
        // A connection that broke says nothing of positions (rule R7).
        const isAnswer = error === undefined || isServerError(error)
        if (isUnproven && isAnswer && !this.#host.proves(connection, search.floor)) {
          this.#host.counters.undo(address, reason)
          this.#host.search.wasBehind(search, address, this.#sendWhenFound(read))
        } else if (error !== undefined && named !== call && mayBeOfName(error)) {
          read.doubtsName = true
          askAlone()
        } else done(error, result)
      },
      askAlone,
    )
  }

  #count({ search }: Read, { connection }: Seat, reason: RouteReason): void {
    const { address } = connection.node
    this.#host.counters.count(address, reason)
    search.scope.lastNode = address
  }

  #whenAnswered(read: Read, { connection }: Seat, reason: RouteReason): QueryCallback {
    const wasReplica = connection.identity?.inRecovery === true
    return (error, result) => {
      if (error === undefined) read.told(undefined, result)
      else this.#failed(read, connection.node.address, reason, error, wasReplica)
    }
  }

  #failed(read: Read, address: string, reason: RouteReason, error: Error, wasReplica: boolean): void {
    this.#host.report(address, error)
    const again = againAfter(error, wasReplica)
    const mayHaveWritten = read.search.statement.mayWrite && !wasReplica
    if (again === 'no' || read.isRetried || mayHaveWritten) return read.told(error, undefined)
    read.isRetried = true
    read.search.cost = undefined
    this.#host.counters.retries += 1
    this.#host.counters.undo(address, reason)
    if (again === 'on-primary' && isWriteRefused(error)) this.#host.refusedAsWrite(read.call)
    const found = this.#sendWhenFound(read)
    if (again === 'on-primary') this.#host.search.onPrimary(read.search, 'refused-by-replica', found)
    else this.#host.search.findAgain(read.search, address, found)
  }
}
