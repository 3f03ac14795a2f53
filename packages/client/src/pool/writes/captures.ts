import { nowMs } from '../../base/clock.js'
import type { Capture, CaptureReading } from '../../routing/consistency/capture.js'
import type { Commits } from '../../routing/consistency/commits.js'
import type { Floor, PendingFloor } from '../../routing/consistency/floor.js'
import type { Write } from '../../routing/consistency/write.js'

/** A connection to the known primary over which its log's positions can be read. */
export type CaptureConnection = {
  readonly number: number
  readonly read: () => Promise<CaptureReading>
  /** Instead of a read; where it was taken for it. */
  readonly giveBack?: () => void
}

type FloorWait = {
  readonly floor: PendingFloor
  readonly told: (floor: Floor | undefined) => void
  readonly timer: NodeJS.Timeout
}
type WriteWait = { readonly write: Write; readonly told: () => void }

/** While nobody waits for one, captures are so far apart at least: a read that comes asks at once, and one for many commits. */
const unaskedPauseMs = 5
/**
 * For so long after a read has waited they follow each commit at once: the next read finds the position known, and an earlier one, which
 * replicas have sooner.
 */
const eagerMs = 20
/** How long after a capture that failed, or for which no connection was free, the next one is tried. */
const retryMs = 10
/** Between two looks at a flush position that is awaited. */
const mostFlushPauseMs = 50

/**
 * Reads the positions of the primary's log after commits, one reading in flight at a time (rule W3), and tells those who
 * wait for one.
 */
export class Captures {
  readonly #commits: Commits
  readonly #connectionBefore: (openedBefore: number) => CaptureConnection | undefined
  readonly #onReading: (reading: CaptureReading) => void
  #floorWaits: FloorWait[] = []
  #writeWaits: WriteWait[] = []
  #retry: NodeJS.Timeout | undefined
  #flushPauseMs = 0
  #sentAtMs = Number.NEGATIVE_INFINITY
  /** When a read has waited for a position for the last time. */
  #awaitedAtMs = Number.NEGATIVE_INFINITY
  #isStopped = false

  constructor(options: {
    readonly commits: Commits
    /** One that was opened before that number, or undefined. */
    readonly connectionBefore: (openedBefore: number) => CaptureConnection | undefined
    readonly onReading: (reading: CaptureReading) => void
  }) {
    this.#commits = options.commits
    this.#connectionBefore = options.connectionBefore
    this.#onReading = options.onReading
  }

  /** To be called whenever something may be wanted: after a write, when a read waits, when a primary is known. */
  wake(): void {
    if (this.#isStopped) return
    this.#tellWaiting()
    const captureNeeded = this.#commits.captureNeeded()
    const need = captureNeeded ?? this.#commits.flushAwaited()
    if (need === undefined) return
    if (captureNeeded === undefined) {
      if (!this.#isFlushDue()) return
    } else {
      this.#flushPauseMs = 0
      const pauseMs = this.#isAwaited || this.isEager ? 0 : unaskedPauseMs - (nowMs() - this.#sentAtMs)
      if (pauseMs > 0) return this.#later(pauseMs)
    }
    this.#look()
  }

  get #isAwaited(): boolean {
    return this.#floorWaits.length > 0 || this.#writeWaits.length > 0
  }

  /** Whether reads wait for the positions of commits these days. */
  get isEager(): boolean {
    return nowMs() - this.#awaitedAtMs < eagerMs
  }

  #look(): void {
    if (this.#isStopped) return
    const need = this.#commits.captureNeeded() ?? this.#commits.flushAwaited()
    if (need === undefined) return
    const connection = this.#connectionBefore(need.openedBefore)
    const capture = connection === undefined ? undefined : this.#commits.captureSent(connection.number)
    if (connection === undefined || capture === undefined) {
      connection?.giveBack?.()
      return this.#later()
    }
    this.#sentAtMs = nowMs()
    this.#read(capture, connection)
  }

  /**
   * Reads the positions over the connection of a write that was just sent, behind its Sync and in one flight with it (rule W2). Calls back
   * when nothing of that is under way any more.
   */
  follow(write: Write, connection: CaptureConnection, over: () => void): void {
    const capture = this.#commits.captureSent(connection.number, [write])
    if (capture === undefined) over()
    else this.#read(capture, connection, over)
  }

  #read(capture: Capture, connection: CaptureConnection, over?: () => void): void {
    connection.read().then(
      (reading) => {
        over?.()
        this.#commits.captured(capture, reading)
        this.#onReading(reading)
        this.wake()
      },
      () => {
        over?.()
        this.#commits.captureFailed(capture)
        this.#later()
      },
    )
  }

  /** Calls back once with what the read has to see, or with undefined when the deadline passes first. */
  whenKnown(floor: PendingFloor, timeoutMs: number, told: (floor: Floor | undefined) => void): void {
    const wait: FloorWait = {
      floor,
      told,
      timer: setTimeout(() => {
        this.#floorWaits = this.#floorWaits.filter((other) => other !== wait)
        told(undefined)
      }, timeoutMs),
    }
    this.#floorWaits.push(wait)
    this.#awaitedAtMs = nowMs()
    this.wake()
  }

  /** Calls back when the position of a write is known and flushed, or when it is certain that it will not be (rule W7). */
  whenConfirmed(write: Write, told: () => void): void {
    this.#writeWaits.push({ write, told })
    this.wake()
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#retry)
    for (const { timer, told } of this.#floorWaits.splice(0)) {
      clearTimeout(timer)
      told(undefined)
    }
    for (const { told } of this.#writeWaits.splice(0)) told()
  }

  #tellWaiting(): void {
    if (this.#floorWaits.length > 0) {
      const waits = this.#floorWaits
      this.#floorWaits = []
      for (const wait of waits) {
        const floor = this.#commits.floorAgain(wait.floor)
        if (floor.kind === 'pending') this.#floorWaits.push(wait)
        else {
          clearTimeout(wait.timer)
          wait.told(floor)
        }
      }
    }
    if (this.#writeWaits.length === 0) return
    const waits = this.#writeWaits
    this.#writeWaits = []
    for (const wait of waits) {
      if (wait.write.state === 'pending' || wait.write.state === 'provisional') this.#writeWaits.push(wait)
      else wait.told()
    }
  }

  /**
   * The flush follows soon as a rule, so it is looked at at once. Behind a bulk writer that is idle in its transaction it may take
   * seconds: then less and less often.
   */
  #isFlushDue(): boolean {
    if (this.#retry !== undefined) return false
    const pauseMs = this.#flushPauseMs
    this.#flushPauseMs = Math.min(mostFlushPauseMs, Math.max(1, 2 * pauseMs))
    if (pauseMs === 0) return true
    this.#later(pauseMs, () => this.#look())
    return false
  }

  #later(pauseMs = retryMs, look = () => this.wake()): void {
    if (this.#retry !== undefined) return
    this.#retry = setTimeout(() => {
      this.#retry = undefined
      look()
    }, pauseMs)
    this.#retry.unref()
  }
}
