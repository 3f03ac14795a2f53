import { AsyncLocalStorage } from 'node:async_hooks'
import type { Commits } from '../routing/consistency/commits.js'
import type { Consistency } from '../routing/consistency/level.js'
import type { Position } from '../routing/consistency/position.js'
import type { Scope } from '../routing/consistency/scope.js'

/** Whose writes a read sees: all of the pool, or those of one session. */
export class PoolScope {
  readonly scope: Scope
  /** In a scope that gives out tokens a write resolves when its position is known (rule W7). */
  readonly givesTokens: boolean
  /** Where its reads were last, when they are to stay on one node. */
  lastNode: string | undefined
  readonly tokenListeners = new Set<() => void>()

  constructor(scope: Scope, givesTokens: boolean) {
    this.scope = scope
    this.givesTokens = givesTokens
  }
}

/** The scope of whoever runs: by the asynchronous call that it is part of. */
export class Scopes {
  readonly #commits: Commits
  readonly #current = new AsyncLocalStorage<PoolScope>()
  readonly #pool: PoolScope
  #isUsed = false

  constructor(commits: Commits) {
    this.#commits = commits
    this.#pool = new PoolScope(commits.pool, false)
  }

  current(): PoolScope {
    // Asking costs every statement; most pools never open a session.
    return this.#isUsed ? (this.#current.getStore() ?? this.#pool) : this.#pool
  }

  open(positions: readonly Position[], consistency?: Consistency): PoolScope {
    const scope = this.#commits.openScope({ positions, ...(consistency === undefined ? {} : { consistency }) })
    return new PoolScope(scope, true)
  }

  run<T>(scope: PoolScope, work: () => T): T {
    this.#isUsed = true
    return this.#current.run(scope, work)
  }
}
