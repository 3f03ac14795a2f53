import { Secret } from '../base/secret.js'
import type { Commits } from '../routing/consistency/commits.js'
import type { Position } from '../routing/consistency/position.js'
import { decodeToken, encodeToken, type TokenKeys } from '../routing/consistency/token.js'
import type { RoutingEvent } from './pool-events.js'
import type { PoolScope } from './scopes.js'

/** Tokens on their way in and out (rule T1). */
export class TokenDoor {
  readonly #keys: TokenKeys | undefined
  readonly #commits: Commits
  readonly #tell: (event: RoutingEvent) => void

  constructor(commits: Commits, keys: readonly string[], tell: (event: RoutingEvent) => void) {
    const [first, ...others] = keys.map((key) => new Secret(key))
    this.#keys = first === undefined ? undefined : [first, ...others]
    this.#commits = commits
    this.#tell = tell
  }

  /** The position that a token names; none for one that is invalid, which is told and never an error. */
  read(token: string | undefined): readonly Position[] {
    if (token === undefined || token === '') return []
    const decoded = decodeToken(String(token), this.#keys)
    if (decoded.kind === 'token') return [decoded.position]
    this.#tell({ kind: 'token-invalid', why: `the token ${decoded.reason}` })
    return []
  }

  /** Only what is flushed leaves the process (rule W5). */
  write({ scope }: PoolScope): string | undefined {
    const { position } = this.#commits.tokenOf(scope)
    return position === undefined ? undefined : encodeToken(position, this.#keys)
  }
}
