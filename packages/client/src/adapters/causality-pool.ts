import type { TokenNotSent } from '../pool/pool.js'

/** What the middleware needs of a pool. */
export type CausalityPool = {
  /** Runs `fn` in a session of its own, and so all that comes of it, as AsyncLocalStorage follows it. */
  session<T>(fn: (session: CausalitySession) => T): T
  /** The same in a session that sees at least what the token says. A token that is not valid is ignored, with an event. */
  withToken<T>(token: string, fn: (session: CausalitySession) => T): T
  emit(event: 'token-not-sent', detail: TokenNotSent): unknown
}

export type CausalitySession = {
  /**
   * The session's token: that of its writes once they are flushed for sure (W5), else the valid one that it was opened with.
   * It is there before the promise of a write settles (W7).
   */
  token(): string | undefined
  /** Calls back each time that `token()` has become another one, before the promise of the write settles. */
  onToken(listener: () => void): void
}
