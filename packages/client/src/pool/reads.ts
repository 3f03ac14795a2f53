import { MaestraError } from '../base/error.js'
import type { Floor } from '../routing/consistency/floor.js'
import type { RouteReason } from '../routing/route.js'
import type { Statement } from '../routing/statement/statement.js'
import { askServer } from './ask-server.js'
import type { AutocommitWrites } from './autocommit-writes.js'
import type { QueryCall, QueryCallback } from './query-arguments.js'
import { againAfter, isWriteRefused } from './read-errors.js'
import { type Found, type ReadSearch, type Search, searchFor } from './read-search.js'
import type { PoolScope } from './scopes.js'
import { sendCall } from './send-call.js'
import type { ServerConnection } from './server-connection.js'
import type { Counters } from './statistics.js'

export type ReadHost = {
  readonly search: ReadSearch
  readonly counters: Counters
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
  isRetried: boolean
}

/** Runs reads in autocommit: on the server that was found for each, and once more elsewhere after errors that call for it (rule R7). */
export class Reads {
  readonly #host: ReadHost

  constructor(host: ReadHost) {
    this.#host = host
  }

  run(call: QueryCall, statement: Statement, scope: PoolScope, floor: Floor, told: QueryCallback): void {
    const read: Read = { call, search: searchFor(statement, scope, floor), told, isRetried: false }
    this.#host.search.find(read.search, this.#sendWhenFound(read))
  }

  #sendWhenFound(read: Read): Found {
    return (error, connection, reason) => {
      if (connection === undefined || reason === undefined) {
        read.told(error ?? new MaestraError('connection-failed', 'the pool gave no connection'), undefined)
      } else if (read.isRetried) this.#sendIfAlive(read, connection, reason)
      else this.#send(read, connection, reason)
    }
  }

  /** The other connections of a server that went away look well until they are used, and a read is sent again but once. */
  #sendIfAlive(read: Read, connection: ServerConnection, reason: RouteReason): void {
    askServer(connection.client, 'select').then(
      () => this.#send(read, connection, reason),
      (error: Error) => {
        const { address } = connection.node
        connection.release(error)
        this.#host.report(address, error)
        this.#host.search.findElsewhere(read.search, address, this.#sendWhenFound(read))
      },
    )
  }

  #send(read: Read, connection: ServerConnection, reason: RouteReason): void {
    const { statement, scope } = read.search
    const { address } = connection.node
    const wasReplica = connection.identity?.inRecovery === true
    const { parameterChanges } = connection
    this.#host.counters.count(address, reason)
    scope.lastNode = address
    const done: QueryCallback = (error, result) => {
      // What it changed would be there for whoever has this connection next (rule S2).
      if (connection.parameterChanges === parameterChanges) connection.giveBack(error)
      else connection.release(true)
      if (error === undefined) read.told(undefined, result)
      else this.#failed(read, address, reason, error, wasReplica)
    }
    if (statement.mayWrite) this.#host.sendWrite(connection, read.call, statement, scope, done)
    else sendCall(connection, read.call, done)
  }

  #failed(read: Read, address: string, reason: RouteReason, error: Error, wasReplica: boolean): void {
    this.#host.report(address, error)
    const again = againAfter(error, wasReplica)
    const mayHaveWritten = read.search.statement.mayWrite && !wasReplica
    if (again === 'no' || read.isRetried || mayHaveWritten) return read.told(error, undefined)
    read.isRetried = true
    this.#host.counters.retries += 1
    this.#host.counters.undo(address, reason)
    if (again === 'on-primary' && isWriteRefused(error)) this.#host.refusedAsWrite(read.call)
    const found = this.#sendWhenFound(read)
    if (again === 'on-primary') this.#host.search.onPrimary(read.search, 'refused-by-replica', found)
    else this.#host.search.findElsewhere(read.search, address, found)
  }
}
