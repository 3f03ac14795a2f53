import { TextMemory } from '../../../routing/statement/text-memory.js'
import type { QueryCall } from '../../calls/query-arguments.js'
import { ReadCost } from './read-cost.js'

/** Texts that are remembered, at the least; twice as many at the most. */
const remembered = 1000

/** What each text has cost. */
export class ReadCosts {
  readonly #memory = new TextMemory<ReadCost>(remembered)

  /** Undefined for a call that needs a connection of its own, whatever its text is. */
  of({ config, text, options }: QueryCall): ReadCost | undefined {
    // A cancel would end what others have under way on the connection.
    if (text === undefined || options.signal !== undefined) return undefined
    if (typeof config !== 'string' && needsItsOwn(config as OwnConfig)) return undefined
    const known = this.#memory.get(text)
    if (known !== undefined) return known
    const cost = new ReadCost()
    this.#memory.set(text, cost)
    return cost
  }
}

type OwnConfig = {
  readonly name?: unknown
  readonly portal?: unknown
  readonly rows?: unknown
  readonly query_timeout?: unknown
  readonly types?: unknown
}

/**
 * A name of the application's whose Parse fails fails those behind it too, a portal that stays open is in their way, and the time
 * limit of node-postgres ends the connection. A parser that throws where none may leaves all behind it without an answer.
 */
function needsItsOwn({ name, portal, rows, query_timeout: queryTimeout, types }: OwnConfig): boolean {
  return Boolean(name || portal || rows || queryTimeout || types)
}
