import { AsyncLocalStorage } from 'node:async_hooks'
import type { Commits } from '../../routing/consistency/commits.js'
import type { Position } from '../../routing/consistency/position.js'
import type { Scope } from '../../routing/consistency/scope.js'

/** A token from outside, and the position that it stands for. */
export type CarriedToken = { readonly text: string; readonly position: Position }

/** Whose writes a read sees: all of the pool, or those of one session. */
export class PoolScope {
  readonly scope: Scope
  /** In a scope that gives out tokens a write resolves when its position is known (rule W7). */
  readonly givesTokens: boolean
  /** What it was opened with. */
  readonly carried: CarriedToken | undefined
  /** Where its reads were last, when they are to stay on one node. */
  lastNode: string | undefined
  readonly tokenListeners = new Set<() => void>()

  constructor(scope: Scope, givesTokens: boolean, carried?: CarriedToken) {
    this.scope = scope
    this.givesTokens = givesTokens
    this.carried = carried
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

  open(carried: CarriedToken | undefined): PoolScope {
    const scope = this.#commits.openScope({ positions: carried === undefined ? [] : [carried.position] })
    return new PoolScope(scope, true, carried)
  }

  run<T>(scope: PoolScope, work: () => T): T {
    this.#isUsed = true
    return this.#current.run(scope, work)
  }
}
