import { Secret } from '../../base/secret.js'
import type { Commits } from '../../routing/consistency/commits.js'
import type { Position } from '../../routing/consistency/position.js'
import { decodeToken, encodeToken, type TokenKeys } from '../../routing/consistency/token.js'
import type { CarriedToken, PoolScope } from './scopes.js'

/** Tokens on their way in and out (rule T1). */
export class TokenDoor {
  readonly #keys: TokenKeys | undefined
  readonly #commits: Commits
  readonly #invalid: (why: string) => void

  constructor(commits: Commits, keys: readonly string[], invalid: (why: string) => void) {
    const [first, ...others] = keys.map((key) => new Secret(key))
    this.#keys = first === undefined ? undefined : [first, ...others]
    this.#commits = commits
    this.#invalid = invalid
  }

  /** A token with the position that it names; undefined for one that is invalid, which is told and never an error. */
  read(token: string | undefined): CarriedToken | undefined {
    if (token === undefined || token === '') return undefined
    const decoded = decodeToken(String(token), this.#keys)
    if (decoded.kind === 'token') return { text: String(token), position: decoded.position }
    this.#invalid(`the token ${decoded.reason}`)
    return undefined
  }

  /** Only what is flushed leaves the process (rule W5). Who has written nothing has no news: what the pool started with is nobody's. */
  write({ scope, carried }: PoolScope): string | undefined {
    const { position } = this.#commits.tokenOf(scope)
    if (!scope.wrote && (carried === undefined || stands(carried.position, scope.confirmed))) return carried?.text
    return position === undefined ? undefined : encodeToken(position, this.#keys)
  }
}

/** It is still part of what its scope has to see: not on a history that was abandoned, nor ahead of all that was written. */
function stands({ systemIdentifier, timeline, lsn }: Position, confirmed: readonly Position[]): boolean {
  return confirmed.some(
    (each) => each.systemIdentifier === systemIdentifier && each.timeline === timeline && each.lsn >= lsn,
  )
}
