import type { EventEmitter } from 'node:events'
import pg from 'pg'
import { MaestraError } from '../base/error.js'
import { once, refusalOf } from '../routing/session-state.js'
import { isRead } from '../routing/statement/statement.js'
import { abortable } from './calls/abort.js'
import {
  noQuery,
  type QueryCall,
  type QueryCallback,
  queryCall,
  type StatementOptions,
} from './calls/query-arguments.js'
import { settled, type Told } from './calls/settled.js'
import type { ClientConnection } from './clients/client-connection.js'
import { RoutedClient } from './clients/routed-client.js'
import { nodeConfigs } from './connections/node-configs.js'
import type { NodeConnections } from './connections/node-connections.js'
import type { ConnectOptions, RouteExplanation } from './pool.js'
import type { RoutingEvent } from './pool-events.js'
import { type PoolOptions, routingOf } from './pool-options.js'
import type { CarriedToken, PoolScope } from './sessions/scopes.js'
import { Session } from './sessions/session.js'
import { TokenDoor } from './sessions/token-door.js'
import { type PoolStatistics, poolStatistics } from './statistics.js'
import { Traffic } from './traffic.js'
import { UnderWay } from './under-way.js'

/** The events of a pool of node-postgres that come from the pools of the single servers. */
const forwarded = ['acquire', 'release', 'remove'] as const

/** What of `pg.Pool` is not done anew here. Its types of overloads and properties are those of the interface `Pool`. */
type Base = new (options: PoolOptions) => EventEmitter & { ending: boolean; ended: boolean }

/** What stands behind `Pool`. */
export class RoutingPool extends (pg.Pool as unknown as Base) {
  readonly #traffic: Traffic
  readonly #tokens: TokenDoor
  readonly #isSingle: boolean
  readonly #underWay = new UnderWay()
  #isEnding = false

  /** Throws bad-value for options that cannot be. No connection is opened before the first statement. */
  constructor(options: PoolOptions = {}) {
    super(options)
    // node-postgres hides the password from whoever prints the pool, but not where it stands in a connection string.
    hide((this as unknown as { options: PoolOptions }).options, 'connectionString')
    const configs = nodeConfigs(options, process.env)
    this.#isSingle = configs.length === 1
    this.#traffic = new Traffic(configs, routingOf(options), {
      emit: (event) => this.#tell(event),
      connected: (client) => void this.emit('connect', client),
      forward: (inner) => {
        for (const event of forwarded) inner.on(event as 'acquire', (...told) => void this.emit(event, ...told))
        // With several servers one may go away at any time, and that is no reason to end a process that does not listen.
        inner.on('error', (...told) => {
          if (this.#isSingle || this.listenerCount('error') > 0) this.emit('error', ...told)
        })
      },
    })
    this.#tokens = new TokenDoor(this.#traffic.commits, options.tokenKeys ?? [], (why) =>
      this.#tell({ kind: 'token-invalid', why }),
    )
  }

  query(config: unknown, values?: unknown, callback?: unknown): unknown {
    if (typeof config === 'function') return refuseFunction(config as QueryCallback)
    if (config === null || config === undefined) return Promise.reject(noQuery())
    const call = queryCall(config, values, callback)
    return settled(call.callback, (told) => this.#once(call, told))
  }

  connect(options?: unknown, callback?: unknown): unknown {
    const scope = this.#traffic.scopes.current()
    const { readOnly = false } = typeof options === 'object' && options !== null ? (options as ConnectOptions) : {}
    const given = typeof options === 'function' ? options : callback
    return settled<RoutedClient>(given as Told<RoutedClient>, (told) => this.#connect(scope, readOnly, told), true)
  }

  end(callback?: unknown): unknown {
    return settled<void>(callback as Told<void>, (told) => {
      if (this.#isEnding) return told(new Error('Called end on pool more than once'), undefined)
      this.#isEnding = true
      this.ending = true
      this.#traffic.ending()
      this.#underWay.whenNone(() =>
        this.#traffic.end().then(
          () => {
            this.ended = true
            told(undefined, undefined)
          },
          (error: Error) => told(error, undefined),
        ),
      )
    })
  }

  /**
   * Runs `work` in a scope of its own: its reads see its own writes, wherever they were made before is none of its affair, and
   * `session.token()` carries that to another process.
   */
  session<T>(work: (session: Session) => T): T {
    return this.#inScope(undefined, work)
  }

  /** The same, and its reads see what the token's session had written. An invalid token is told by an event and ignored. */
  withToken<T>(token: string | undefined, work: (session: Session) => T): T {
    return this.#inScope(this.#tokens.read(token), work)
  }

  /**
   * Runs `work` in a transaction on one client: COMMIT when it resolves, ROLLBACK when it rejects. Rejects when the server
   * answers COMMIT with a rollback.
   */
  async transaction<T>(work: (client: pg.PoolClient) => Promise<T>, options: ConnectOptions = {}): Promise<T> {
    const client = (await this.connect(options)) as pg.PoolClient
    let isBroken = true
    try {
      await client.query(options.readOnly ? 'begin read only' : 'begin')
      const result = await work(client)
      const { command } = await client.query('commit')
      isBroken = false
      if (command !== 'ROLLBACK') return result
      throw new MaestraError('transaction-rolled-back', 'the server answered COMMIT with ROLLBACK', {
        hint: 'a statement of the transaction failed, and its error was caught',
      })
    } catch (error) {
      if (isBroken)
        isBroken = await client.query('rollback').then(
          () => false,
          () => true,
        )
      throw error
    } finally {
      client.release(isBroken)
    }
  }

  /** What the pool has done, and what it knows of its servers. */
  stats(): PoolStatistics {
    return poolStatistics(this.#traffic)
  }

  /** Where a statement would go at this moment, without running it. */
  explainRoute(config: string | (pg.QueryConfig & StatementOptions)): RouteExplanation {
    const { statement, route } = this.#traffic.explain(queryCall(config), this.#traffic.scopes.current())
    const primary = this.#traffic.watch.topology.primary?.address
    switch (route.kind) {
      case 'primary':
        return { node: primary, reason: route.reason, statement }
      case 'wait':
        return {
          node: undefined,
          reason: route.awaited === 'capture' ? 'capture-awaited' : 'primary-awaited',
          statement,
        }
      default:
        return { node: route.address, reason: route.reason, statement }
    }
  }

  get totalCount(): number {
    return this.#sum((node) => node.pool.totalCount)
  }

  get idleCount(): number {
    return this.#sum((node) => node.pool.idleCount)
  }

  get waitingCount(): number {
    return this.#sum((node) => node.pool.waitingCount)
  }

  get expiredCount(): number {
    return this.#sum((node) => node.pool.expiredCount)
  }

  /** What a listener throws is the application's affair, and must not stop us in the middle of ours. */
  #tell(event: RoutingEvent): void {
    try {
      this.emit(event.kind, event)
    } catch (error) {
      process.nextTick(() => {
        throw error
      })
    }
  }

  #sum(count: (node: NodeConnections) => number): number {
    // The class above asks while it is being made.
    let sum = 0
    for (const node of this.#traffic.nodes.values()) sum += count(node)
    return sum
  }

  #once(call: QueryCall, tell: QueryCallback): void {
    if (this.#isEnding) return tell(endedError(), undefined)
    const over = this.#underWay.begun()
    // Whose signal has ended its wait is not waited for any more.
    const told = abortable(call, (error, result) => {
      over()
      tell(error, result)
    })
    const scope = this.#traffic.scopes.current()
    if (this.#isSingle && !scope.givesTokens) return this.#direct(call, told)
    this.#traffic.start.when(() => {
      if (call.isSubmittable) return this.#submit(call, scope, told)
      const statement = this.#traffic.classes.classify(call)
      if (refusalOf(once, statement) !== undefined) return told(transactionOnPool(call.text ?? ''), undefined)
      this.#traffic.run(call, statement, scope, told)
    })
  }

  /** With one server there is nothing to decide. */
  #direct(call: QueryCall, told: QueryCallback): void {
    const statement = this.#traffic.classes.classify(call)
    if (!call.isSubmittable && refusalOf(once, statement) !== undefined) {
      return told(transactionOnPool(call.text ?? ''), undefined)
    }
    this.#traffic.runOnly(call, told)
  }

  #submit(call: QueryCall, scope: PoolScope, told: QueryCallback): void {
    this.#traffic.kept.pin(scope, (error, connection) => {
      if (connection === undefined) return told(error, undefined)
      const ended: QueryCallback = (failure, result) => {
        connection.release(failure)
        told(failure, result)
      }
      // A query of node-postgres itself tells its result; of other objects it is told only that they have ended.
      if (call.config instanceof pg.Query) connection.query(call, ended)
      else connection.submit(call, ended)
    })
  }

  #connect(
    scope: PoolScope,
    isReadOnly: boolean,
    tell: (error: Error | undefined, client: RoutedClient | undefined) => void,
  ): void {
    if (this.#isEnding) return tell(endedError(), undefined)
    const over = this.#underWay.begun()
    const told: typeof tell = (error, client) => {
      if (client === undefined) over()
      tell(error, client)
    }
    const make = (connection?: ClientConnection) =>
      new RoutedClient(
        {
          isRead: (call) => isRead(this.#traffic.classes.classify(call)),
          read: (call, done) => this.#traffic.run(call, this.#traffic.classes.classify(call), scope, done),
          pin: (done) => this.#traffic.kept.pin(scope, done),
          pinNow: () => this.#traffic.kept.pinNow(scope),
          login: () => this.#traffic.login(),
          released: over,
        },
        connection,
      )
    if (this.#isSingle && !scope.givesTokens && !isReadOnly) {
      return this.#traffic.kept.pinOn(this.#traffic.onlyNode(), scope, (error, connection) =>
        told(error, connection && make(connection)),
      )
    }
    this.#traffic.start.when(() => {
      // As with node-postgres, who asks for a client learns that there is no server for it.
      const refusal = this.#traffic.refusal()
      if (refusal !== undefined) return told(refusal, undefined)
      if (!isReadOnly) return told(undefined, make())
      this.#traffic.kept.pinReadOnly(scope, (error, connection) => told(error, connection && make(connection)))
    })
  }

  #inScope<T>(carried: CarriedToken | undefined, work: (session: Session) => T): T {
    const scope = this.#traffic.scopes.open(carried)
    return this.#traffic.scopes.run(scope, () => work(new Session(scope, (of) => this.#tokens.write(of))))
  }
}

/** As node-postgres refuses it. */
function refuseFunction(callback: QueryCallback): void {
  const error = new Error('Passing a function as the first parameter to pool.query is not supported')
  setImmediate(() => callback(error, undefined))
}

function hide<Of extends object>(of: Of, name: keyof Of): void {
  if (of[name] !== undefined) Object.defineProperty(of, name, { enumerable: false })
}

function endedError(): Error {
  return new Error('Cannot use a pool after calling end on the pool')
}

function transactionOnPool(text: string): MaestraError {
  const [word = ''] = text.trim().split(/\s/, 1)
  return new MaestraError(
    'transaction-on-pool',
    `${word.toUpperCase()} was sent through pool.query, where each statement has a connection of its own`,
    {
      hint: 'use pool.transaction(async (client) => { … }), or a client of pool.connect()',
    },
  )
}
