import { nowMs } from '../../base/clock.js'
import { type CatalogNames, catalogNamesQuery, parseCatalogNames } from '../../routing/statement/catalog-names.js'
import type { TextRow } from './ask-server.js'

/** What a pool has to know of the database's own names and functions. */
export type CatalogSight = {
  readonly names: CatalogNames
  /** The source of a function mentions synchronous_commit: what is seen of it afterwards proves nothing (rule W4). */
  readonly setsSynchronousCommit: boolean
}

/** Between two looks, when nothing asks for one sooner. */
const intervalMs = 30_000

/** An application whose statements fail all the time has the catalogue looked at no more often than this. */
const doubtMs = 1000

const synchronousCommitQuery = `select (exists (select from pg_catalog.pg_proc where oid operator(pg_catalog.>=) 16384
  and prosrc operator(pg_catalog.~~*) '%synchronous_commit%'))::pg_catalog.text as found`

/** Looks at the catalogue when the pool starts, after its own DDL, after errors that smell of it, and now and then (classify). */
export class Catalog {
  readonly #ask: (texts: readonly string[]) => Promise<readonly TextRow[]>
  readonly #seen: (sight: CatalogSight) => void
  readonly #failed: (error: unknown) => void
  #timer: NodeJS.Timeout | undefined
  #isAsking = false
  #isWanted = false
  #isStopped = false
  #isDoubted = false
  #lookedMs = Number.NEGATIVE_INFINITY
  /** The same names are the same value, so that what was learned under them stays. */
  #last: { readonly told: string; readonly names: CatalogNames } | undefined

  constructor(options: {
    /** Runs texts of one row each on the primary. */
    readonly ask: (texts: readonly string[]) => Promise<readonly TextRow[]>
    readonly seen: (sight: CatalogSight) => void
    readonly failed: (error: unknown) => void
  }) {
    this.#ask = options.ask
    this.#seen = options.seen
    this.#failed = options.failed
  }

  /** What is known may not be all that there is: looks soon, and what is known counts until then. */
  doubt(): void {
    if (this.#isStopped || this.#isDoubted) return
    this.#isDoubted = true
    if (!this.#isAsking) this.#lookAfter(Math.max(0, this.#lookedMs + doubtMs - nowMs()))
  }

  /** What was seen is not true any more. Looks now; while a look is under way, once more behind it. */
  refresh(): void {
    if (this.#isStopped) return
    this.#isWanted = true
    if (!this.#isAsking) void this.#look()
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  async #look(): Promise<void> {
    this.#isAsking = true
    clearTimeout(this.#timer)
    while (this.#isWanted && !this.#isStopped) {
      this.#isWanted = false
      this.#isDoubted = false
      try {
        const [names, found] = await this.#ask([catalogNamesQuery, synchronousCommitQuery])
        const told = names?.['names']
        if (told === undefined || told === null) throw new Error('the catalogue gave no names')
        // What was made while this look was under way is in the next one.
        if (!this.#isStopped && !this.#isWanted) {
          if (this.#last?.told !== told) this.#last = { told, names: parseCatalogNames({ names: told }) }
          this.#seen({
            names: this.#last.names,
            setsSynchronousCommit: found?.['found'] !== 'false',
          })
        }
      } catch (error) {
        if (!this.#isStopped) this.#failed(error)
      }
    }
    this.#isAsking = false
    this.#lookedMs = nowMs()
    if (!this.#isStopped) this.#lookAfter(this.#isDoubted ? doubtMs : intervalMs)
  }

  #lookAfter(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.refresh(), ms)
    this.#timer.unref()
  }
}
