import { Deadline } from '../../base/deadline.js'
import { MaestraError } from '../../base/error.js'
import type { Floor } from '../../routing/consistency/floor.js'
import type { Acquired } from '../connections/node-connections.js'
import type { ServerConnection } from '../connections/server-connection.js'
import type { Primary } from '../servers/primary.js'

type Waiting = { readonly start: () => void; readonly giveUp: () => void; readonly timer: NodeJS.Timeout }

/** Whether the primary's history has what a read must see (rule T5). */
export type PrimaryVerdict = 'has-it' | 'lacks-it' | 'ask-again'

/**
 * Reads that a replica could have answered, and the primary has to: only so many at a time, so that late replicas do not take
 * all connections away from the writes (rule R6).
 */
export class PrimaryReads {
  readonly #primary: Primary
  readonly #most: number
  readonly #deadlineMs: number
  readonly #judge: (floor: Floor) => PrimaryVerdict
  readonly #whenChanged: (timeoutMs: number, told: () => void) => void
  readonly #waiting: Waiting[] = []
  #running = 0

  constructor(options: {
    readonly primary: Primary
    /** Connections to the primary, and how many of them are kept for writes. */
    readonly max: number
    readonly reserve: number
    readonly deadlineMs: number
    readonly judge: (floor: Floor) => PrimaryVerdict
    readonly whenChanged: (timeoutMs: number, told: () => void) => void
  }) {
    this.#primary = options.primary
    this.#most = Math.max(1, options.max - options.reserve)
    this.#deadlineMs = options.deadlineMs
    this.#judge = options.judge
    this.#whenChanged = options.whenChanged
  }

  /** @param whenNone Called instead of a wait while no primary is known: for reads that a replica may answer then. */
  acquire(floor: Floor, isLimited: boolean, acquired: Acquired, whenNone?: () => void): void {
    this.#whenItHas(floor, Deadline.after(this.#deadlineMs), (error) => {
      if (error !== undefined) acquired(error, undefined)
      else if (isLimited) this.#inTurn(acquired, whenNone)
      else this.#primary.acquire(acquired, whenNone)
    })
  }

  /** A history that this process has not seen means that what it knows of the servers is old. */
  #whenItHas(floor: Floor, deadline: Deadline, told: (error: Error | undefined) => void): void {
    const verdict = this.#judge(floor)
    if (verdict === 'has-it') return told(undefined)
    if (verdict === 'lacks-it' || deadline.passed()) return told(this.#primary.unknownError())
    this.#whenChanged(deadline.leftMs(), () => this.#whenItHas(floor, deadline, told))
  }

  #inTurn(acquired: Acquired, whenNone: (() => void) | undefined): void {
    const start = () => {
      this.#running += 1
      this.#primary.acquire(
        (error, connection) => {
          if (connection === undefined) this.#ended()
          else endsWith(connection, () => this.#ended())
          acquired(error, connection)
        },
        whenNone &&
          (() => {
            this.#ended()
            whenNone()
          }),
      )
    }
    if (this.#running < this.#most) return start()
    const waiting: Waiting = {
      start,
      giveUp: () => acquired(this.#overloaded(), undefined),
      timer: setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
        waiting.giveUp()
      }, this.#deadlineMs),
    }
    this.#waiting.push(waiting)
  }

  #ended(): void {
    this.#running -= 1
    const next = this.#waiting.shift()
    if (next === undefined) return
    clearTimeout(next.timer)
    next.start()
  }

  #overloaded(): MaestraError {
    return new MaestraError(
      'primary-overloaded',
      `a read waited ${this.#deadlineMs} ms for one of the ${this.#most} connections that the primary has for reads of late replicas`,
      { hint: 'see pool.stats(): are the replicas late, or ejected? Else raise max or lower reserve' },
    )
  }
}

function endsWith(connection: ServerConnection, ended: () => void): void {
  connection.onRelease = ended
}
