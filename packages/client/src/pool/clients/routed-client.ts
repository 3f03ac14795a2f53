import { EventEmitter } from 'node:events'
import pg from 'pg'
import { MaestraError } from '../../base/error.js'
import { free, nextState, pinned, type SessionState } from '../../routing/session-state.js'
import { abortable } from '../calls/abort.js'
import { type QueryCall, type QueryCallback, queryCall } from '../calls/query-arguments.js'
import { thrownLater } from '../calls/settled.js'
import type { ClientConnection } from './client-connection.js'

/** What a client needs of its pool. */
export type ClientHost = {
  /** Whether a statement leaves nothing behind on its connection. */
  readonly isRead: (call: QueryCall) => boolean
  /** Runs a read on whichever server may answer it. */
  readonly read: (call: QueryCall, done: QueryCallback) => void
  /** A connection of the primary, for this client alone. */
  readonly pin: (done: (error: Error | undefined, connection: ClientConnection | undefined) => void) => void
  /** One that is there at once, or undefined. */
  readonly pinNow: () => ClientConnection | undefined
  /** As whom its connections log in, and where. */
  readonly login: () => { readonly user: string | undefined; readonly database: string | undefined }
  /** It was released, and all that was sent through it before has ended or has a connection. */
  readonly released: () => void
}

type Work = (done: () => void) => void

const forwarded = ['error', 'notice', 'notification', 'drain', 'end'] as const

/**
 * What `pool.connect()` gives (rule S2): it borrows a server for each statement as long as those are reads, and keeps the
 * connection that runs its first other statement until it is released. Its statements run one after the other (rule R9).
 */
export class RoutedClient extends EventEmitter {
  readonly #host: ClientHost
  #state: SessionState = free
  #connection: ClientConnection | undefined
  #isReleased = false
  #isEnded = false
  readonly #waiting: Work[] = []
  #isBusy = false
  #types: pg.CustomTypesConfig | undefined
  readonly #forwards = forwarded.map((event) => ({
    event,
    // A connection that broke is told by its statements, too: no reason to end a process that does not listen.
    listener: (...told: unknown[]) =>
      event !== 'error' || this.listenerCount(event) > 0 ? void this.emit(event, ...told) : undefined,
  }))

  constructor(host: ClientHost, connection?: ClientConnection) {
    super()
    this.#host = host
    // Callers pass it on without its client.
    this.release = this.release.bind(this)
    if (connection === undefined) return
    this.#state = pinned('from-the-start')
    this.#keep(connection)
  }

  /** As of node-postgres: a promise, or what was given when it has `submit`, or nothing when there is a callback. */
  query(config: unknown, values?: unknown, callback?: unknown): unknown {
    const call = queryCall(config, values, callback)
    if (call.isSubmittable) {
      this.#submit(call)
      return call.config
    }
    if (call.callback !== undefined) {
      this.#run(call, thrownLater(call.callback))
      return undefined
    }
    return new Promise((resolve, reject) => {
      this.#run(call, (error, result) => (error ? reject(error) : resolve(result)))
    }).catch((error: Error) => {
      // So that the stack leads to whoever sent the statement.
      Error.captureStackTrace(error)
      throw error
    })
  }

  #run(call: QueryCall, callback: QueryCallback): void {
    const told = abortable(call, callback)
    const gone = this.#goneError()
    if (gone !== undefined) return process.nextTick(told, gone)
    this.#inTurn((done) => {
      const ended: QueryCallback = (error, result) => {
        done()
        told(error, result)
      }
      const isRead = this.#host.isRead(call)
      this.#state = nextState(this.#state, { kind: 'statement', isRead })
      if (this.#state.kind === 'free') return this.#host.read(this.#withTypes(call), ended)
      this.#pin((error, connection) => {
        if (connection === undefined) return ended(error, undefined)
        // Behind one connection node-postgres keeps the order itself.
        connection.query(this.#withTypes(call), told)
        done()
      })
    })
  }

  #submit(call: QueryCall): void {
    const failed = (error: Error | undefined) => {
      const submittable = call.config as { handleError?: (error: unknown, connection?: unknown) => void }
      process.nextTick(() => submittable.handleError?.(error, undefined))
    }
    const gone = this.#goneError()
    if (gone !== undefined) return failed(gone)
    this.#state = nextState(this.#state, { kind: 'submittable' })
    this.#inTurn((done) =>
      this.#pin((error, connection) => {
        if (connection === undefined) failed(error)
        else connection.submit(call)
        done()
      }),
    )
  }

  /** On a released client node-postgres would run a statement on a connection that is somebody else's by now. */
  #goneError(): Error | undefined {
    if (this.#isEnded) return new Error('Client was closed and is not queryable')
    if (!this.#isReleased) return undefined
    return new MaestraError('client-released', 'a statement was sent through a client that has been released', {
      hint: 'send it before client.release(), or through the pool',
    })
  }

  /** Each of these ends before the next begins; while nothing waits, at once. */
  #inTurn(work: Work): void {
    this.#waiting.push(work)
    if (!this.#isBusy) this.#next()
  }

  #next(): void {
    const work = this.#waiting.shift()
    this.#isBusy = work !== undefined
    work?.(() => this.#next())
  }

  #pin(done: (error: Error | undefined, connection: ClientConnection | undefined) => void): void {
    if (this.#connection !== undefined) return done(undefined, this.#connection)
    this.#host.pin((error, connection) => {
      if (connection === undefined) this.#state = nextState(this.#state, { kind: 'released' })
      else this.#keep(connection)
      done(error, connection)
    })
  }

  #keep(connection: ClientConnection): void {
    this.#connection = connection
    for (const { event, listener } of this.#forwards) connection.client.on(event, listener)
  }

  /** What only one connection has; asking for it keeps that connection. */
  #touch(what: string): pg.PoolClient {
    this.#state = nextState(this.#state, { kind: 'touched' })
    if (this.#connection === undefined && !this.#isBusy) {
      const connection = this.#host.pinNow()
      if (connection !== undefined) this.#keep(connection)
    }
    if (this.#connection !== undefined) return this.#connection.client
    throw new MaestraError('client-not-pinned', `this client has no connection yet whose ${what} could be told`, {
      hint: 'a client has a connection of its own from its first statement on that is no read, such as BEGIN',
    })
  }

  /** Connections have parsers of their own; a client's follow it from connection to connection. */
  #withTypes(call: QueryCall): QueryCall {
    if (this.#types === undefined) return call
    const config = typeof call.config === 'string' ? { text: call.config } : call.config
    return { ...call, config: { types: this.#types, ...config } as pg.QueryConfig }
  }

  /** Gives the connection back, when there is one; with an error, or true, it is closed. */
  release(error?: Error | boolean): void {
    if (this.#isReleased) throw new Error('Release called on client which has already been released to the pool.')
    const giveBack: Work = (done) => {
      const connection = this.#connection
      this.#connection = undefined
      connection?.release(error)
      for (const { event, listener } of this.#forwards) {
        // One that is closed says so to whoever still listens; any other goes on to its next client.
        const isAwaited = event === 'end' && Boolean(error) && this.listenerCount('end') > 0
        if (!isAwaited) connection?.client.removeListener(event, listener)
      }
      done()
      this.#host.released()
    }
    this.#inTurn(giveBack)
    this.#isReleased = true
  }

  override on(event: string | symbol, listener: (...told: never[]) => void): this {
    super.on(event, listener as (...told: unknown[]) => void)
    this.#listened(event)
    return this
  }

  override addListener(event: string | symbol, listener: (...told: never[]) => void): this {
    return this.on(event, listener)
  }

  /** Notifications come to the connection that listens, so the client needs one. */
  #listened(event: string | symbol): void {
    if (event !== 'notification' || this.#connection !== undefined || this.#isReleased) return
    this.#state = nextState(this.#state, { kind: 'touched' })
    this.#inTurn((done) => this.#pin(() => done()))
  }

  get processID(): number | null {
    return (this.#touch('process') as unknown as { processID: number | null }).processID
  }

  get secretKey(): unknown {
    return (this.#touch('process') as unknown as { secretKey: unknown }).secretKey
  }

  get connection(): pg.Connection {
    return this.#touch('connection').connection
  }

  get user(): string | undefined {
    return this.#host.login().user
  }

  get database(): string | undefined {
    return this.#host.login().database
  }

  get host(): string {
    return this.#touch('host').host
  }

  get port(): number {
    return this.#touch('port').port
  }

  getTransactionStatus(): 'I' | 'T' | 'E' | null {
    return this.#connection?.client.getTransactionStatus() ?? 'I'
  }

  setTypeParser(...told: unknown[]): void {
    this.#types ??= new pg.TypeOverrides() as unknown as pg.CustomTypesConfig
    const types = this.#types
    Reflect.apply((types as unknown as { setTypeParser: (...told: unknown[]) => void }).setTypeParser, types, told)
  }

  getTypeParser(...told: unknown[]): unknown {
    const types = this.#types ?? pg.types
    return Reflect.apply(types.getTypeParser as (...told: unknown[]) => unknown, types, told)
  }

  escapeIdentifier(text: string): string {
    return pg.escapeIdentifier(text)
  }

  escapeLiteral(text: string): string {
    return pg.escapeLiteral(text)
  }

  connect(callback?: (error: Error) => void): Promise<never> | undefined {
    const error = new Error('Client has already been connected. You cannot reuse a client.')
    if (callback === undefined) return Promise.reject(error)
    process.nextTick(callback, error)
    return undefined
  }

  /** Closes its connection, when there is one, as node-postgres does; it has to be released all the same. */
  end(callback?: () => void): Promise<void> | undefined {
    this.#isEnded = true
    const ended = Promise.resolve(this.#connection?.client.end())
    if (callback === undefined) return ended
    void ended.then(callback)
    return undefined
  }

  ref(): void {
    ;(this.#connection?.client as unknown as { ref?: () => void } | undefined)?.ref?.()
  }

  unref(): void {
    ;(this.#connection?.client as unknown as { unref?: () => void } | undefined)?.unref?.()
  }
}

// Libraries ask `client instanceof pg.Client`. What a client does is all above; the constructor, which would open a socket, is not run.
Object.setPrototypeOf(RoutedClient.prototype, pg.Client.prototype as object)
