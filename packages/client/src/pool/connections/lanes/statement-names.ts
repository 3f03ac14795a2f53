import type pg from 'pg'
import { codeOf } from '../../../base/error.js'
import type { QueryCall } from '../../calls/query-arguments.js'

/** Names that one pool gives in all: each is a statement that every connection of a lane keeps prepared. */
const mostNames = 200
/** A text is prepared when it comes for this time: what comes once or twice is not worth it. */
const namedAtUse = 5
/** Characters of a text that is kept for its name. */
const longestText = 4096
/** Texts whose uses are counted; then the count begins anew. */
const mostCounted = 1000

/**
 * Names for texts that come again and again in lanes, so that the servers parse and plan each but once for a connection. They stay on
 * connections to replicas, where an application prepares and deallocates nothing itself.
 */
export class StatementNames {
  readonly #names = new Map<string, string>()
  #uses = new Map<string, number>()
  #given = 0

  /**
   * The call with its name, or as it is. Without values it stays as it is too: node-postgres sends such a text by the simple protocol, and
   * its answer would be another one with `binary`.
   */
  named(call: QueryCall): QueryCall {
    const { text, config } = call
    const values = typeof config === 'string' ? call.values : (call.values ?? (config as pg.QueryConfig).values)
    const isWorthIt = text !== undefined && text.length <= longestText && Array.isArray(values) && values.length > 0
    if (!isWorthIt || (typeof config !== 'string' && !isPlain(config))) return call
    const name = this.#nameOf(text)
    if (name === undefined) return call
    const named = typeof config === 'string' ? { name, text, values } : { ...config, name, values }
    return { ...call, config: named as pg.QueryConfig, values: undefined }
  }

  /** What was prepared of this text is of no use any more. When it comes again it gets another name. */
  drop({ text }: QueryCall): void {
    if (text !== undefined) this.#names.delete(text)
  }

  /** The same of all texts: something was changed in the database. */
  dropAll(): void {
    this.#names.clear()
  }

  #nameOf(text: string): string | undefined {
    const known = this.#names.get(text)
    if (known !== undefined || this.#given >= mostNames) return known
    const uses = (this.#uses.get(text) ?? 0) + 1
    if (uses < namedAtUse) {
      if (this.#uses.size >= mostCounted) this.#uses = new Map()
      this.#uses.set(text, uses)
      return undefined
    }
    this.#uses.delete(text)
    this.#given += 1
    const name = `maestra_${this.#given}`
    this.#names.set(text, name)
    return name
  }
}

/**
 * Whether an error may come of a statement that was prepared before something changed, or whose Parse in the same flight failed: it keeps
 * the types that its parameters had then (classes 22 and 42), its columns (0A000), its name (26000). Without the name the text tells.
 */
export function mayBeOfName(error: Error): boolean {
  return /^(?:22|26|42|0A)[0-9A-Z]{3}$/.test(codeOf(error) ?? '')
}

/** Objects of libraries may have getters for what they hold, which a copy has not. */
function isPlain(config: object): boolean {
  return Object.getPrototypeOf(config) === Object.prototype
}
