import type { PoolScope } from './scopes.js'

/** Whose writes the statements within `pool.session()` and `pool.withToken()` see. */
export class Session {
  readonly scope: PoolScope
  readonly #tokenOf: (scope: PoolScope) => string | undefined

  constructor(scope: PoolScope, tokenOf: (scope: PoolScope) => string | undefined) {
    this.scope = scope
    this.#tokenOf = tokenOf
  }

  /**
   * What another process needs, to see in `pool.withToken()` all that was written here: a text of at most 64 characters.
   * While nothing was written it is the valid token that the session was opened with, else undefined. A write of this session
   * resolves when its token is known.
   */
  token(): string | undefined {
    return this.#tokenOf(this.scope)
  }

  /** Calls back each time that `token()` has become another one, before the promise of the write settles. */
  onToken(listener: () => void): void {
    this.scope.tokenListeners.add(listener)
  }
}
