import type pg from 'pg'
import { MaestraError } from '../../base/error.js'
import type { Statement } from '../../routing/statement/statement.js'
import type { QueryCall, QueryCallback } from '../calls/query-arguments.js'
import { sendCall } from '../connections/send-call.js'
import type { ServerConnection } from '../connections/server-connection.js'
import type { ClientConnection } from './client-connection.js'

/**
 * A connection that a client has asked for to read only (rule S3). What it must see is looked at before each statement; a
 * statement that is no proven read is refused, not moved: it would see another snapshot elsewhere.
 */
export class ReplicaConnection implements ClientConnection {
  readonly connection: ServerConnection
  readonly #count: () => void
  readonly #classify: (call: QueryCall) => Statement
  readonly #whenNamed: (told: () => void) => void
  readonly #whenItHas: (told: (error: Error | undefined) => void) => void
  readonly #sendWrite: (call: QueryCall, statement: Statement, told: QueryCallback) => void
  readonly #waiting: (() => void)[] = []
  #isBusy = false
  #open = 0
  #giveBack: (() => void) | undefined

  constructor(options: {
    readonly connection: ServerConnection
    readonly count: () => void
    readonly classify: (call: QueryCall) => Statement
    /** Calls back when the names of the database are known. */
    readonly whenNamed: (told: () => void) => void
    /** Calls back when the server at its other end has what its scope must see, or with why it does not. */
    readonly whenItHas: (told: (error: Error | undefined) => void) => void
    /** For a read that only a hint calls one: where the primary has to answer it may write. */
    readonly sendWrite: (call: QueryCall, statement: Statement, told: QueryCallback) => void
  }) {
    this.connection = options.connection
    this.#count = options.count
    this.#classify = options.classify
    this.#whenNamed = options.whenNamed
    this.#whenItHas = options.whenItHas
    this.#sendWrite = options.sendWrite
  }

  get client(): pg.PoolClient {
    return this.connection.client
  }

  query(call: QueryCall, told: QueryCallback): void {
    this.#open += 1
    const ended: QueryCallback = (error, result) => {
      this.#open -= 1
      told(error, result)
      if (this.#open === 0) this.#giveBack?.()
    }
    this.#count()
    this.#waiting.push(() => this.#begin(call, ended))
    if (!this.#isBusy) this.#next()
  }

  /** What a statement waits for must not let the next one overtake it (rule R9). */
  #next(): void {
    const begin = this.#waiting.shift()
    this.#isBusy = begin !== undefined
    begin?.()
  }

  #begin(call: QueryCall, ended: QueryCallback): void {
    const statement = this.#classify(call)
    if (statement.reason !== 'names-unknown') return this.#run(call, statement, ended)
    // It may be a read: that is known in a moment.
    this.#whenNamed(() => this.#run(call, this.#classify(call), ended))
  }

  #run(call: QueryCall, statement: Statement, ended: QueryCallback): void {
    const send = (error?: Error) => {
      if (error !== undefined) ended(error, undefined)
      else if (statement.mayWrite) this.#sendWrite(call, statement, ended)
      else sendCall(this.connection, call, ended)
      this.#next()
    }
    if (!isReadOnly(statement)) send(refusal(call, statement))
    // In a transaction that has failed nothing is seen any more.
    else if (this.client.getTransactionStatus() === 'E') send()
    else this.#whenItHas(send)
  }

  submit(call: QueryCall, told?: QueryCallback): void {
    const error = new MaestraError('not-read-only', 'a cursor or a stream was sent through a client that only reads', {
      hint: 'use a client of pool.connect()',
    })
    const { handleError } = call.config as { handleError?: (error: unknown, connection?: unknown) => void }
    process.nextTick(() => handleError?.call(call.config, error))
    told?.(error, undefined)
  }

  release(error?: Error | boolean): void {
    const giveBack = () => (error ? this.connection.release(error) : this.connection.giveBack(undefined))
    if (this.#open === 0 || error) giveBack()
    else this.#giveBack = giveBack
  }
}

function isReadOnly({ kind }: Statement): boolean {
  return kind === 'read' || kind === 'begin' || kind === 'commit' || kind === 'rollback' || kind === 'savepoint'
}

function refusal({ text = '' }: QueryCall, { reason, detail }: Statement): MaestraError {
  const why = detail === undefined ? reason : `${reason}: ${detail}`
  const [word = ''] = text.trim().split(/\s/, 1)
  return new MaestraError(
    'not-read-only',
    `${word.toUpperCase()} … is no proven read (${why}), and this client only reads`,
    {
      hint: 'send it through the pool, or through a client of pool.connect() without readOnly',
    },
  )
}

/** What a replica is told that does not get there in time. */
export function replicaBehind(address: string, budgetMs: number): MaestraError {
  return new MaestraError(
    'replica-behind',
    `${address} did not replay what this client has to see within ${budgetMs} ms`,
    {
      hint: 'raise parkMs, or read through the pool, which asks the primary then',
    },
  )
}
