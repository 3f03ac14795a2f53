import type pg from 'pg'
import type { QueryCall, QueryCallback } from './query-arguments.js'

/** Runs a call on a connection. Calls back once; what node-postgres throws at once comes that way too. */
export function sendCall(client: pg.ClientBase, { config, values }: QueryCall, told: QueryCallback): void {
  try {
    Reflect.apply(client.query as (...given: unknown[]) => unknown, client, [
      config,
      values,
      (error: Error | null | undefined, result: pg.QueryResult) => told(error ?? undefined, result),
    ])
  } catch (error) {
    told(error as Error, undefined)
  }
}
