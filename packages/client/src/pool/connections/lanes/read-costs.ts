import { TextMemory } from '../../../routing/statement/text-memory.js'
import type { QueryCall } from '../../calls/query-arguments.js'
import { sharesConnection } from '../../calls/shares-connection.js'
import { ReadCost } from './read-cost.js'

/** Texts that are remembered, at the least; twice as many at the most. */
const remembered = 1000

/** What each text has cost. */
export class ReadCosts {
  readonly #memory = new TextMemory<ReadCost>(remembered)

  /** Undefined for a call that needs a connection of its own, whatever its text is. */
  of(call: QueryCall): ReadCost | undefined {
    const { text } = call
    if (text === undefined || !sharesConnection(call)) return undefined
    const known = this.#memory.get(text)
    if (known !== undefined) return known
    const cost = new ReadCost()
    this.#memory.set(text, cost)
    return cost
  }
}
