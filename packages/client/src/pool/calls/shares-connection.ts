import type { QueryCall } from './query-arguments.js'

type OwnConfig = {
  readonly name?: unknown
  readonly portal?: unknown
  readonly rows?: unknown
  readonly query_timeout?: unknown
  readonly types?: unknown
}

/**
 * Whether other statements may be under way on its connection. A cancel would end them, a name of the application's whose Parse fails fails
 * those behind it too, a portal that stays open is in their way, and the time limit of node-postgres ends the connection. A parser that
 * throws where none may leaves all behind it without an answer.
 */
export function sharesConnection({ config, text, options }: QueryCall): boolean {
  if (text === undefined || options.signal !== undefined) return false
  if (typeof config === 'string') return true
  const { name, portal, rows, query_timeout: queryTimeout, types } = config as OwnConfig
  return !(name || portal || rows || queryTimeout || types)
}
