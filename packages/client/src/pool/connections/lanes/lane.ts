import { nowMs } from '../../../base/clock.js'
import { isServerError } from '../../calls/outcome.js'
import type { QueryCall, QueryCallback } from '../../calls/query-arguments.js'
import { observeReplayFirst } from '../observed-read.js'
import { sendCall } from '../send-call.js'
import type { ServerConnection } from '../server-connection.js'
import type { ReadCost } from './read-cost.js'
import type { Seat } from './seat.js'

/** For so long after a flight was written, what comes waits until it is over and goes together. Milliseconds. */
const holdMs = 0.3

/** A read of a lane, until it is answered. */
type Passenger = {
  readonly call: QueryCall
  readonly cost: ReadCost
  readonly leave: (error?: Error) => void
  readonly stuck: () => void
  /** Undefined when nobody waits for it here any more. */
  told: QueryCallback | undefined
}

export type LaneEvents = {
  /** The last one has left, and the connection has gone back. */
  readonly emptied: (lane: Lane) => void
  /** Something stands behind something else. */
  readonly queued: () => void
}

/**
 * One connection of a replica on which many reads are under way, one behind the other, each with its own Sync. They go in flights: what
 * comes while one is under way is written in one packet when that is over, and the server answers it without sleeping in between. For
 * proven reads in autocommit alone, which may be asked again elsewhere when one of them ends the connection.
 */
export class Lane {
  readonly connection: ServerConnection
  /** How long what is under way keeps the server busy, in milliseconds. */
  workMs = 0
  readonly #events: LaneEvents
  readonly #parameterChanges: number
  /** Written, in the order of their answers. */
  readonly #flying: Passenger[] = []
  /** To be written with the next flight. */
  #held: Passenger[] = []
  /** Whether that flight asks for the server's position first, and whether the role sees the WAL receiver. */
  #look: { readonly seesReceiver: boolean } | undefined
  #seats = 0
  /** Somebody is slow, or the last one has left: nobody else enters. */
  #isClosing = false
  /** Nobody knows any more in what state the session is. */
  #isUnfit = false
  #isClosed = false
  #isLeaving = false
  #writtenAtMs = 0
  #answeredAtMs = 0
  #seenAsHead: Passenger | undefined
  /** Behind an error of the server's its last word is still to come. */
  #lastError: Error | undefined

  constructor(connection: ServerConnection, events: LaneEvents) {
    this.connection = connection
    this.#events = events
    this.#parameterChanges = connection.parameterChanges
    connection.isPipelined = true
    connection.isDispensable = true
    connection.node.left()
  }

  get isOpen(): boolean {
    return !this.#isClosing && !this.#isUnfit && !this.connection.isBroken
  }

  /** Whether somebody may be held up. */
  get isQueued(): boolean {
    return this.#flying.length + this.#held.length > 1
  }

  enter(cost: ReadCost): Seat {
    const { expectedMs } = cost
    this.#seats += 1
    this.workMs += expectedMs
    this.connection.node.joined()
    const leave = (error?: Error) => {
      this.workMs -= expectedMs
      this.connection.node.left()
      this.#left(error)
    }
    return {
      connection: this.connection,
      isShared: true,
      send: (call, told, stuck) => this.#send({ call, cost, leave, stuck, told }),
      look: (seesReceiver) => {
        // One position serves all that is written with it.
        this.#look = { seesReceiver }
      },
      giveBack: leave,
      close: () => {
        this.#end()
        leave()
      },
    }
  }

  /** Who is in it is answered; then its connection goes back. */
  takeNoMore(): void {
    this.#isClosing = true
    this.closeWhenEmpty()
  }

  /** To be called now and then: when the same read has been under way since the last time, those behind it go elsewhere. */
  freeStuck(): void {
    const [head, ...behind] = this.#flying
    const isStuck = head !== undefined && head === this.#seenAsHead && this.isQueued
    this.#seenAsHead = head
    if (!isStuck) return
    head.cost.wasSlow()
    this.#isClosing = true
    const held = this.#held
    this.#held = []
    for (const { leave, stuck } of held) {
      leave()
      stuck()
    }
    for (const passenger of behind) {
      if (passenger.told === undefined) continue
      passenger.told = undefined
      passenger.stuck()
    }
  }

  #send(passenger: Passenger): void {
    this.#held.push(passenger)
    if (this.isQueued) this.#events.queued()
    if (this.#flying.length === 0 || nowMs() - this.#writtenAtMs > holdMs) this.#writeSoon()
  }

  #writeSoon(): void {
    if (this.#isLeaving) return
    this.#isLeaving = true
    whenAllHaveAsked(() => {
      this.#isLeaving = false
      this.#write()
    })
  }

  /** All that is held, in one packet. The stream is corked for this moment alone: behind a write that is pending it would keep all back. */
  #write(): void {
    const held = this.#held
    const look = this.#look
    if (held.length === 0) return
    this.#held = []
    this.#look = undefined
    this.#writtenAtMs = nowMs()
    const { stream } = this.connection.client.connection
    stream.cork()
    if (look !== undefined) observeReplayFirst(this.connection, look.seesReceiver)
    for (const passenger of held) {
      this.#flying.push(passenger)
      sendCall(this.connection, passenger.call, (error, result) => this.#answered(passenger, error, result))
    }
    stream.uncork()
  }

  #answered(passenger: Passenger, error: Error | undefined, result: Parameters<QueryCallback>[1]): void {
    const { cost, leave } = passenger
    // A value that cannot be sent fails before what was sent earlier is answered.
    const at = this.#flying.indexOf(passenger)
    this.#flying.splice(at, 1)
    const atMs = nowMs()
    // Of the first one in a flight nobody knows how much of it was the way there and back.
    const isFirst = this.#answeredAtMs <= this.#writtenAtMs
    if (error === undefined && at === 0 && !isFirst) cost.took(atMs - this.#answeredAtMs)
    this.#answeredAtMs = atMs
    leave(error)
    passenger.told?.(error, result)
    if (this.#flying.length === 0) {
      if (this.#held.length > 0) this.#writeSoon()
    } else if (this.#held.length === 0 && this.#flying.every(({ told }) => told === undefined)) this.#end()
  }

  /** What is left here is asked elsewhere, and the server need not answer it. */
  #end(): void {
    this.#isUnfit = true
    this.connection.client.connection.stream.destroy()
  }

  #left(error: Error | undefined): void {
    this.#seats -= 1
    const { connection } = this
    const isIdle = connection.client.getTransactionStatus() === 'I'
    if (!isIdle || connection.parameterChanges !== this.#parameterChanges) this.#isUnfit = true
    if (error !== undefined && !isServerError(error)) this.#isUnfit = true
    this.#lastError = error
    this.closeWhenEmpty()
  }

  /** Who was answered last often asks again at once, so an empty lane is kept for a turn; unless somebody waits for its connection. */
  closeWhenEmpty(): void {
    if (this.#seats > 0) return
    if (this.isOpen && this.connection.node.pool.waitingCount === 0) setImmediate(() => this.#close())
    else this.#close()
  }

  #close(): void {
    if (this.#seats > 0 || this.#isClosed) return
    this.#isClosing = true
    this.#isClosed = true
    const { connection } = this
    connection.node.joined()
    // To a value that could not be sent the server has still something to say.
    if (this.#isUnfit) connection.release(true)
    else {
      connection.isPipelined = false
      connection.giveBack(this.#lastError)
    }
    this.#events.emptied(this)
  }
}

/** Runs it when everybody who was just answered has had the time to ask again: behind all promises that are settled now. */
function whenAllHaveAsked(run: () => void): void {
  process.nextTick(() => queueMicrotask(() => process.nextTick(run)))
}
