import { codeOf } from '../../base/error.js'
import type { Write } from '../../routing/consistency/write.js'
import type { Statement } from '../../routing/statement/statement.js'
import type { Counters } from '../calls/counters.js'
import type { QueryCall, QueryCallback } from '../calls/query-arguments.js'
import { sharesConnection } from '../calls/shares-connection.js'
import { sendCall } from '../connections/send-call.js'
import type { ServerConnection } from '../connections/server-connection.js'
import type { Primary } from '../servers/primary.js'
import type { PoolScope } from '../sessions/scopes.js'
import type { CaptureConnection, Captures } from './captures.js'
import { sendFollowed } from './followed-write.js'
import type { Writes } from './writes.js'

export type WriteHost = {
  readonly primary: Primary
  readonly writes: Writes
  readonly captures: Captures
  /** Whether more than one statement may be under way on a connection. */
  readonly pipelines: boolean
  /** Over which the positions behind a write on that connection are read. */
  readonly following: (connection: ServerConnection) => CaptureConnection | undefined
  readonly counters: Counters
  readonly report: (address: string, error: unknown) => void
  readonly changedNames: () => void
  /** Calls back once when the servers have changed, or after the time in which a demoted primary is found out. */
  readonly whenPrimaryMayHaveChanged: (told: () => void) => void
}

/** Runs statements in autocommit on the primary that are no proven reads. */
export class AutocommitWrites {
  readonly #host: WriteHost

  constructor(host: WriteHost) {
    this.#host = host
  }

  run(call: QueryCall, statement: Statement, scope: PoolScope, told: QueryCallback, isAgain = false): void {
    this.#host.primary.acquire((error, connection) => {
      if (connection === undefined) return told(error, undefined)
      const { address } = connection.node
      this.#host.counters.count(address, statement.reason)
      this.#sendOnce(connection, call, statement, scope, (failure, result) => {
        const isRefused = codeOf(failure) === '25006' && statement.kind === 'row-change'
        if (!isRefused || isAgain) return told(failure, result)
        // It certainly did not start (rule W6): the server takes no writes any more, and another one may by now.
        this.#host.counters.undo(address, statement.reason)
        this.#host.whenPrimaryMayHaveChanged(() => this.run(call, statement, scope, told, true))
      })
    })
  }

  /** Sends it, and gives the connection back. */
  #sendOnce(
    connection: ServerConnection,
    call: QueryCall,
    statement: Statement,
    scope: PoolScope,
    told: QueryCallback,
  ): void {
    const following = this.#following(connection, call, statement, scope)
    if (following !== undefined) {
      const write = (ended: QueryCallback) => this.send(connection, call, statement, scope, ended)
      const follow = (sent: Write, over: () => void) => this.#host.captures.follow(sent, following, over)
      return sendFollowed(connection, write, follow, told)
    }
    this.send(connection, call, statement, scope, (failure, result) => {
      connection.giveBack(failure)
      told(failure, result)
    })
  }

  /** Where its position is read at once: somebody waits for such positions, and nobody for this connection. */
  #following(
    connection: ServerConnection,
    call: QueryCall,
    { kind }: Statement,
    scope: PoolScope,
  ): CaptureConnection | undefined {
    const { captures, pipelines, following } = this.#host
    const isWanted = scope.givesTokens || captures.isEager
    if (!isWanted || !pipelines || kind !== 'row-change' || !sharesConnection(call)) return undefined
    const { identity, isPooled, node } = connection
    if (isPooled || identity?.inRecovery !== false || node.pool.waitingCount > 0) return undefined
    return following(connection)
  }

  /** Sends it on a connection that the caller keeps, and tells when what it wrote is known as far as its scope needs it. */
  send(
    connection: ServerConnection,
    call: QueryCall,
    statement: Statement,
    scope: PoolScope,
    told: QueryCallback,
  ): Write | undefined {
    const sent = this.#host.writes.sent(connection, statement, scope)
    sendCall(connection, call, (error, result) => {
      if (statement.changesNames) this.#host.changedNames()
      if (error !== undefined) this.#host.report(connection.node.address, error)
      if (sent === undefined) told(error, result)
      else this.#host.writes.ended(sent, connection, error, () => told(error, result))
    })
    return sent?.write
  }
}
