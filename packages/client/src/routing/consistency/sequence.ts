/**
 * The order in which this process saw things happen: every connection that was opened, commit that was acknowledged and
 * capture that was sent takes the next number, so that "before" is `<`. One for all pools of a process; 2^53 are enough.
 */
export class Sequence {
  #last = 0

  next(): number {
    this.#last += 1
    return this.#last
  }
}
