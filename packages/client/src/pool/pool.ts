import type pg from 'pg'
import type { RouteReason } from '../routing/route.js'
import type { Statement } from '../routing/statement/statement.js'
import type { StatementOptions } from './calls/query-arguments.js'
import type { RoutingEvent } from './pool-events.js'
import type { PoolOptions } from './pool-options.js'
import { RoutingPool } from './routing-pool.js'
import type { Session } from './sessions/session.js'
import type { PoolStatistics } from './statistics.js'

/** A write was done when the headers of its answer had left, so that the next request of this user may not see it. */
export type TokenNotSent = {
  readonly method: string | undefined
  /** Without what stands behind a `?`. */
  readonly path: string | undefined
}

export type ConnectOptions = {
  /** Reads only, on a replica where there is one: statements that are no proven reads are refused with not-read-only. */
  readonly readOnly?: boolean
}

/** Where a statement would go, and why. `node` is undefined while it would have to wait. */
export type RouteExplanation = {
  readonly node: string | undefined
  readonly reason: RouteReason
  readonly statement: Statement
}

// biome-ignore lint/suspicious/noExplicitAny: rows are of the type that node-postgres gives them
type RoutedQuery = <Row extends pg.QueryResultRow = any>(
  config: pg.QueryConfig & StatementOptions,
  values?: unknown[],
) => Promise<pg.QueryResult<Row>>

/**
 * A drop-in for `pg.Pool` that knows one primary and its replicas: it finds out which server is which, sends every change to the
 * primary, and every proven read to a replica that has all that the read's scope has written.
 */
export interface Pool extends pg.Pool {
  /** All that node-postgres takes, and in a config object what a statement says of its own routing. */
  query: pg.Pool['query'] & RoutedQuery
  /**
   * Runs `work` in a scope of its own: its reads see its own writes, and `session.token()` carries that to another process.
   * Everything that is called from it, however late, belongs to it.
   */
  session<T>(work: (session: Session) => T): T
  /** The same, and its reads see what the token's session had written. An invalid token is told by an event and ignored. */
  withToken<T>(token: string | undefined, work: (session: Session) => T): T
  /**
   * Runs `work` in a transaction on one client: COMMIT when it resolves, ROLLBACK when it rejects. Rejects with
   * transaction-rolled-back when the server answers COMMIT with a rollback.
   */
  transaction<T>(work: (client: pg.PoolClient) => Promise<T>, options?: ConnectOptions): Promise<T>
  /** As of node-postgres; with `readOnly` on a replica that has what its scope has written, and every other statement is refused. */
  connect: pg.Pool['connect'] & ((options: ConnectOptions) => Promise<pg.PoolClient>)
  /** What the pool has done, and what it knows of its servers. */
  stats(): PoolStatistics
  /** Where a statement would go at this moment, without running it. */
  explainRoute(config: string | (pg.QueryConfig & StatementOptions)): RouteExplanation
  on<Kind extends RoutingEvent['kind']>(
    kind: Kind,
    listener: (event: Extract<RoutingEvent, { readonly kind: Kind }>) => void,
  ): this
  /** The middleware could not set its cookie: the headers had left already (rule W7). */
  on(event: 'token-not-sent', listener: (told: TokenNotSent) => void): this
  on(event: 'connect' | 'acquire' | 'remove', listener: (client: pg.PoolClient) => void): this
  on(event: 'error' | 'release', listener: (error: Error, client: pg.PoolClient) => void): this
}

/** Throws bad-value for options that cannot be. No connection is opened before the first statement. */
export const Pool: new (options?: PoolOptions) => Pool = RoutingPool as unknown as new (options?: PoolOptions) => Pool
