/** What a read is thought to keep its server busy before it was seen to, in milliseconds. */
const firstGuessMs = 0.05
/** Reads that take longer than this on average hold up those behind them too much. Milliseconds. */
const mostMs = 0.5
/** One answer among many tells little: a process that stood still looks like a slow server. Milliseconds. */
const mostOfOneMs = 2
/** Who is answered within that is small, the way there and back included. Milliseconds. */
const mostAloneMs = 10
const weightOfNew = 1 / 64
/** How many uses on connections of their own follow on one that held others up: twice as many each time. */
const firstPauseUses = 10
const mostPauseUses = 100_000

/** How long a server is busy with the reads of one text. */
export class ReadCost {
  /** For how long it holds up what stands behind it, in milliseconds. */
  expectedMs = firstGuessMs
  #pauseUses = firstPauseUses
  #usesLeft = 0
  #isKnown = false

  /** Whether the next use may share a connection: once the text was seen to be small, and after one that was slow in a while again. */
  mayShare(): boolean {
    if (this.#usesLeft > 0) this.#usesLeft -= 1
    return this.#isKnown && this.#usesLeft === 0
  }

  /** It was answered so long after what stood before it in its lane. */
  took(ms: number): void {
    this.expectedMs += (Math.min(ms, mostOfOneMs) - this.expectedMs) * weightOfNew
    if (this.expectedMs > mostMs) this.wasSlow()
  }

  /** It had a connection of its own. */
  tookAlone(ms: number): void {
    if (ms > mostAloneMs) return
    this.#isKnown = true
    this.#usesLeft >>= 1
  }

  /** Others were held up by it. */
  wasSlow(): void {
    this.expectedMs = firstGuessMs
    this.#usesLeft = this.#pauseUses
    this.#pauseUses = Math.min(mostPauseUses, this.#pauseUses * 2)
  }
}
