import type pg from 'pg'
import type { Statement } from '../../routing/statement/statement.js'
import type { QueryCall, QueryCallback } from '../calls/query-arguments.js'
import { sendCall } from '../connections/send-call.js'
import type { ServerConnection } from '../connections/server-connection.js'
import type { PoolScope } from '../sessions/scopes.js'
import type { Writes } from '../writes/writes.js'
import type { ClientConnection } from './client-connection.js'

type Handlers = {
  handleReadyForQuery?: (...told: unknown[]) => unknown
  handleError?: (...told: unknown[]) => unknown
}

/** A connection of the primary that one client keeps: what runs on it is watched for commits. */
export class PinnedConnection implements ClientConnection {
  readonly connection: ServerConnection
  readonly #writes: Writes
  readonly #scope: PoolScope
  readonly #classify: (call: QueryCall) => Statement
  readonly #changedNames: () => void
  readonly #leftOpen: () => void
  readonly #notified: () => void
  #open = 0
  /** What was made in a transaction is there for others when it has ended. */
  #hasChangedNames = false
  #giveBack: (() => void) | undefined

  constructor(options: {
    readonly connection: ServerConnection
    readonly writes: Writes
    readonly scope: PoolScope
    readonly classify: (call: QueryCall) => Statement
    readonly changedNames: () => void
    readonly leftOpen: () => void
    readonly notified: () => void
  }) {
    this.connection = options.connection
    this.#writes = options.writes
    this.#scope = options.scope
    this.#classify = options.classify
    this.#changedNames = options.changedNames
    this.#leftOpen = options.leftOpen
    this.#notified = options.notified
    // Before those of the application, so that what they read then is there.
    this.client.on('notification', this.#notified)
  }

  get client(): pg.PoolClient {
    return this.connection.client
  }

  query(call: QueryCall, told: QueryCallback): void {
    const sent = this.#sent(call)
    sendCall(this.connection, call, (error, result) => {
      this.#ended(sent, error, () => told(error, result))
    })
  }

  /** A cursor or a stream ends when its last ReadyForQuery has come; what it wrote is committed then. */
  submit(call: QueryCall, told?: QueryCallback): void {
    const sent = this.#sent(call)
    const submittable = call.config as pg.Submittable & Handlers
    const { handleReadyForQuery, handleError } = submittable
    let result: pg.QueryResult | undefined
    let isOver = false
    const over = (error: Error | undefined, tell: () => unknown): unknown => {
      if (isOver) return tell()
      isOver = true
      let answer: unknown
      // What it wrote is known before anybody is told that it has ended.
      this.#ended(sent, error, () => {
        answer = tell()
        told?.(error, result)
      })
      return answer
    }
    submittable.handleReadyForQuery = (...given) =>
      over(undefined, () => handleReadyForQuery?.apply(submittable, given))
    submittable.handleError = (...given) => {
      const error = given[0] instanceof Error ? given[0] : new Error('the statement failed')
      return over(error, () => handleError?.apply(submittable, given))
    }
    const { config, values, callback } = call
    const keep = (_error: unknown, answer: pg.QueryResult) => {
      result = answer
    }
    const heard = callback ?? (told && keep)
    Reflect.apply(this.client.query as (...given: unknown[]) => unknown, this.client, [config, values, heard])
  }

  /**
   * Gives the connection back when everything that was sent on it has ended. One that is still inside a transaction is closed
   * (rule S1), and so is one that is given back with an error.
   */
  release(error?: Error | boolean): void {
    this.client.removeListener('notification', this.#notified)
    const giveBack = () => {
      if (error) this.connection.release(error)
      else this.connection.giveBack(undefined, this.#leftOpen)
    }
    if (this.#open === 0 || error) giveBack()
    else this.#giveBack = giveBack
  }

  #sent(call: QueryCall): ReturnType<Writes['sent']> {
    this.#open += 1
    const statement = this.#classify(call)
    if (statement.changesNames) this.#hasChangedNames = true
    return this.#writes.sent(this.connection, statement, this.#scope)
  }

  #ended(sent: ReturnType<Writes['sent']>, error: Error | undefined, settle: () => void): void {
    this.#open -= 1
    if (this.#hasChangedNames && this.client.getTransactionStatus() === 'I') {
      this.#hasChangedNames = false
      this.#changedNames()
    }
    if (sent === undefined) settle()
    else this.#writes.ended(sent, this.connection, error, settle)
    if (this.#open === 0) this.#giveBack?.()
  }
}
