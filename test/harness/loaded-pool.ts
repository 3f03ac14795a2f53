import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import { Pool, type PoolOptions, type RoutingEvent } from '../../packages/client/src/index.js'

/** `create table ledger (id text primary key)`: an insert that ran twice would be refused by its key. */
export const ledgerTable = 'create table ledger (id text primary key)'

/** What happened at a pool, one after the other. */
export type Happening =
  | { readonly kind: 'acknowledged'; readonly id: string }
  | {
      readonly kind: 'refused'
      readonly id: string
      readonly outcome: string
      readonly code: string
      readonly error: string
    }
  | { readonly kind: 'read'; readonly issued: number; readonly level: 'pool' | 'session' }
  | { readonly kind: 'read-failed'; readonly error: string }
  | { readonly kind: 'stale-read'; readonly expected: number; readonly seen: number }
  | { readonly kind: 'event'; readonly event: RoutingEvent }

/** A long-lived pool whose writers and readers never stop, and the record of all that happened there. */
export class LoadedPool {
  readonly name: string
  readonly pool: Pool
  readonly happenings: Happening[] = []
  readonly #loops: Promise<void>[] = []
  #acknowledged = 0
  #written = 0
  #isStopping = false
  /** Where in the record the fault began. */
  mark = 0

  constructor(name: string, options: PoolOptions) {
    this.name = name
    this.pool = new Pool(options)
    const { emit } = this.pool
    const happenings = this.happenings
    this.pool.emit = function (this: Pool, kind: string | symbol, ...told: unknown[]) {
      const [event] = told
      if (typeof event === 'object' && event !== null && 'kind' in event && event.kind === kind) {
        happenings.push({ kind: 'event', event: event as RoutingEvent })
      }
      return Reflect.apply(emit, this, [kind, ...told])
    } as Pool['emit']
  }

  start({ writers, readers }: { readonly writers: number; readonly readers: number }): void {
    for (let each = 0; each < writers; each += 1) this.#loop(() => this.write())
    for (let each = 0; each < readers; each += 1) this.#loop(() => this.read('pool'))
    for (let each = 0; each < readers; each += 1) this.#loop(() => this.read('session'))
  }

  async write(): Promise<void> {
    this.#written += 1
    const id = `${this.name}-${this.#written}`
    try {
      await this.pool.query('insert into ledger values ($1)', [id])
      this.#acknowledged += 1
      this.happenings.push({ kind: 'acknowledged', id })
    } catch (error) {
      const { outcome = 'none', code = 'none', message } = error as Error & { outcome?: string; code?: string }
      this.happenings.push({ kind: 'refused', id, outcome, code, error: message })
    }
  }

  /** In a session of its own a read has to see nothing of what the pool writes. */
  async read(level: 'pool' | 'session'): Promise<void> {
    const issued = this.happenings.length
    const read = () => this.pool.query('select count(*)::int as count from ledger')
    try {
      await (level === 'session' ? this.pool.session(read) : read())
      this.happenings.push({ kind: 'read', issued, level })
    } catch (error) {
      this.happenings.push({ kind: 'read-failed', error: String(error) })
    }
  }

  get acknowledged(): readonly string[] {
    return this.happenings.flatMap((each) => (each.kind === 'acknowledged' ? [each.id] : []))
  }

  get refused() {
    return this.happenings.flatMap((each) => (each.kind === 'refused' ? [each] : []))
  }

  get failedReads(): readonly string[] {
    return this.happenings.flatMap((each) => (each.kind === 'read-failed' ? [each.error] : []))
  }

  /** Where in the record, since the mark, the first such event is; -1 where it is not. */
  indexOf(...kinds: readonly RoutingEvent['kind'][]): number {
    const { mark } = this
    return this.happenings.findIndex(
      (each, index) => index >= mark && each.kind === 'event' && kinds.includes(each.event.kind),
    )
  }

  /** Where in the record the last such event is. */
  lastIndexOf(...kinds: readonly RoutingEvent['kind'][]): number {
    return this.happenings.findLastIndex((each) => each.kind === 'event' && kinds.includes(each.event.kind))
  }

  async untilEvent(kind: RoutingEvent['kind']): Promise<void> {
    await this.until(`event ${kind}`, () => this.indexOf(kind) >= 0)
  }

  /** Until so many more inserts were acknowledged. */
  async untilAcknowledged(more: number): Promise<void> {
    const wanted = this.#acknowledged + more
    await this.until(`${more} more inserts`, () => this.#acknowledged >= wanted)
  }

  /** Until so many more reads that were issued after this moment have ended. */
  async untilRead(more: number, level: 'pool' | 'session'): Promise<void> {
    const from = this.happenings.length
    const count = () =>
      this.happenings.slice(from).filter((each) => each.kind === 'read' && each.level === level && each.issued >= from)
    await this.until(`${more} more reads`, () => count().length >= more)
  }

  async until(awaited: string, isThere: () => boolean): Promise<void> {
    const look = () =>
      isThere()
        ? { done: true as const, value: undefined }
        : { done: false as const, seen: JSON.stringify(this.happenings.slice(-5)) }
    await waitUntil(look, { awaited: `${awaited} at ${this.name}`, deadline: Deadline.after(20_000) })
  }

  /** Ends the loops; what is under way ends first. */
  async stop(): Promise<void> {
    this.#isStopping = true
    await Promise.all(this.#loops)
  }

  async end(): Promise<void> {
    await this.stop()
    await this.pool.end()
  }

  #loop(work: () => Promise<void>): void {
    const run = async () => {
      while (!this.#isStopping) await work()
    }
    this.#loops.push(run())
  }
}
