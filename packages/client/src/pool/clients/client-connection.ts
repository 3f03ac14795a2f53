import type pg from 'pg'
import type { QueryCall, QueryCallback } from '../calls/query-arguments.js'

/** A connection that one client keeps until it is released. */
export type ClientConnection = {
  readonly client: pg.PoolClient
  query(call: QueryCall, told: QueryCallback): void
  submit(call: QueryCall, told?: QueryCallback): void
  release(error?: Error | boolean): void
}
