import { compareLsn, formatLsn, type Lsn } from '../../postgres/lsn.js'
import type { TimelineId } from '../../postgres/timeline.js'

declare const lineageBrand: unique symbol
/**
 * One history of one system, told apart by which promotion began it: two standbys that were promoted independently are
 * both timeline 2, and two lineages. Meaningful within one process.
 */
export type LineageId = number & { readonly [lineageBrand]: true }

/** Where a position lies: a number alone says nothing, since each history counts for itself. */
export type Place = {
  readonly systemIdentifier: string
  readonly timeline: TimelineId
  /** Absent in a position from outside of this process, such as a token. */
  readonly lineage?: LineageId
}

/**
 * A position of a primary's log together with the history that it belongs to. It has no order: `<` is an error of types
 * against other kinds of positions, and throws between two of this one. Ask judge(), satisfies() or laterOf().
 */
export class LogPosition {
  readonly systemIdentifier: string
  readonly timeline: TimelineId
  readonly lineage: LineageId | undefined
  readonly #lsn: Lsn

  constructor(place: Place, lsn: Lsn) {
    this.systemIdentifier = place.systemIdentifier
    this.timeline = place.timeline
    this.lineage = place.lineage
    this.#lsn = lsn
  }

  /** The number alone: to write a token or a message, never to compare. */
  bareLsn(): Lsn {
    return this.#lsn
  }

  toString(): string {
    return `${formatLsn(this.#lsn)} of timeline ${this.timeline}`
  }

  [Symbol.toPrimitive](hint: string): string {
    return printed(this, hint)
  }
}

/** How far a server has come on the history that it is on, whichever that is. Compared only by satisfies(). */
export class SeenPosition {
  readonly #lsn: Lsn

  constructor(lsn: Lsn) {
    this.#lsn = lsn
  }

  /** The number alone: for messages and for what stays within one server, never to compare with another one's. */
  bareLsn(): Lsn {
    return this.#lsn
  }

  toString(): string {
    return formatLsn(this.#lsn)
  }

  [Symbol.toPrimitive](hint: string): string {
    return printed(this, hint)
  }
}

/** The later of two positions; undefined when they are not known to be of one history. @public */
export function laterOf(a: LogPosition, b: LogPosition): LogPosition | undefined {
  if (a.systemIdentifier !== b.systemIdentifier || a.timeline !== b.timeline || a.lineage !== b.lineage)
    return undefined
  return compareLsn(a.bareLsn(), b.bareLsn()) < 0 ? b : a
}

function printed(position: { toString(): string }, hint: string): string {
  if (hint === 'string') return position.toString()
  throw new TypeError(`${position.toString()} has no order: positions of different histories are not compared`)
}
