/** What a pool has begun and not ended: statements without their answer, clients that are out. It ends behind them. */
export class UnderWay {
  #count = 0
  #whenNone: (() => void) | undefined

  /** What it returns is to be called once, when that has ended. */
  begun(): () => void {
    this.#count += 1
    return this.#ended
  }

  /** Runs it as soon as nothing is under way. */
  whenNone(run: () => void): void {
    if (this.#count === 0) run()
    else this.#whenNone = run
  }

  readonly #ended = (): void => {
    this.#count -= 1
    if (this.#count === 0) this.#whenNone?.()
  }
}
