import type pg from 'pg'
import type { Consistency } from '../../routing/consistency/level.js'

/** What a statement may say of its own routing, beside what node-postgres takes: keys of the config object. */
export type StatementOptions = {
  /** `primary`: not on a replica. `replica`: on a replica although the text is not proven to be a read. */
  readonly target?: 'primary' | 'replica'
  /** Instead of the pool's level. */
  readonly consistency?: Consistency
  /** Ends the wait and cancels the statement on its server; the promise rejects with an AbortError, whose cause is the signal's reason. */
  readonly signal?: AbortSignal
}

export type QueryCallback = (error: Error | undefined, result: pg.QueryResult | undefined) => void

/** One call of `query`, whichever of node-postgres' overloads it took. */
export type QueryCall = {
  /** As node-postgres gets it: a text, a config object, or something with `submit`. */
  readonly config: string | pg.QueryConfig | pg.Submittable
  readonly values: readonly unknown[] | undefined
  readonly callback: QueryCallback | undefined
  /** Undefined for a prepared statement that is called by its name alone, and for most submittables. */
  readonly text: string | undefined
  readonly isSubmittable: boolean
  readonly options: StatementOptions
  /** It is on a server: from then on a signal can only cancel it there. */
  isSent: boolean
}

const noOptions: StatementOptions = {}

/** Throws a TypeError for null and undefined, as node-postgres does. */
export function queryCall(config: unknown, values?: unknown, callback?: unknown): QueryCall {
  if (config === null || config === undefined) throw noQuery()
  const isCallback = typeof values === 'function'
  const given = isCallback ? undefined : (values as readonly unknown[] | undefined)
  const told = (isCallback ? values : callback) as QueryCallback | undefined
  if (typeof config === 'string') {
    return {
      config,
      values: given,
      callback: told,
      text: config,
      isSubmittable: false,
      options: noOptions,
      isSent: false,
    }
  }
  const object = config as pg.QueryConfig & pg.Submittable & StatementOptions & { callback?: QueryCallback }
  const isSubmittable = typeof object.submit === 'function'
  return {
    config: object,
    values: given,
    callback: told ?? (isSubmittable ? undefined : object.callback),
    text: typeof object.text === 'string' ? object.text : undefined,
    isSubmittable,
    options: object,
    isSent: false,
  }
}

export function noQuery(): TypeError {
  return new TypeError('Client was passed a null or undefined query')
}
