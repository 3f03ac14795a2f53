/**
 * Whether the commits of one connection surely wait until they are flushed, so that the flush position covers them (W4). It is
 * sure only while nothing speaks against it: any one doubt lasts as long as the connection.
 * @public
 */
export class SynchronousCommit {
  readonly #opening: string
  #doubtful: boolean

  /** @param opening The value of `synchronous_commit` when the session profile had run. */
  constructor(opening: string) {
    this.#opening = opening
    this.#doubtful = opening === 'off'
  }

  /** A statement is sent that may change settings: SET, set_config, ALTER, DO, CALL, a function that is not known. */
  ran(statement: { readonly maySetParameters: boolean }): void {
    this.#doubtful ||= statement.maySetParameters
  }

  /** The value was read again behind a write. One that has changed was changed by something unseen. */
  seen(value: string): void {
    this.#doubtful ||= value !== this.#opening
  }

  /**
   * @param mentionedByFunctions Whether the source of any user function has the word synchronous_commit in it, or is not
   * known yet: a trigger can switch it off for its own transaction, and nothing that is seen afterwards tells.
   */
  surely(mentionedByFunctions: boolean): boolean {
    return !this.#doubtful && !mentionedByFunctions
  }
}
