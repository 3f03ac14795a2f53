import type { Commits } from '../../routing/consistency/commits.js'
import type { Scope } from '../../routing/consistency/scope.js'
import type { Write } from '../../routing/consistency/write.js'
import type { Statement } from '../../routing/statement/statement.js'
import { askServer, type TextRow } from '../calls/ask-server.js'
import { isServerError, leftNothing, outcomeOf, withOutcome } from '../calls/outcome.js'
import type { ServerConnection } from '../connections/server-connection.js'
import type { PoolScope } from '../sessions/scopes.js'
import type { Captures } from './captures.js'

/** A statement on its way to the primary that may commit something. */
export type SentWrite = {
  readonly write: Write
  readonly statement: Statement
  readonly scope: PoolScope
  /** Of the connection when it was sent: in a transaction nothing is committed before its end. */
  readonly wasInTransaction: boolean
}

/** Tells the state of commits what was sent to the primary, and how it ended (rules W1, W3, W6, W7). */
export class Writes {
  readonly #commits: Commits
  readonly #captures: Captures
  readonly #setsSynchronousCommit: () => boolean
  readonly #lost: (connection: ServerConnection) => void

  constructor(options: {
    readonly commits: Commits
    readonly captures: Captures
    /** Whether a user function may set synchronous_commit, or nobody knows yet. */
    readonly setsSynchronousCommit: () => boolean
    /** The answer of a write on this connection will not come: its backend has to be seen gone. */
    readonly lost: (connection: ServerConnection) => void
  }) {
    this.#commits = options.commits
    this.#captures = options.captures
    this.#setsSynchronousCommit = options.setsSynchronousCommit
    this.#lost = options.lost
  }

  /** Right before a statement is sent. Undefined for a proven read, which writes nothing. */
  sent(connection: ServerConnection, statement: Statement, scope: PoolScope): SentWrite | undefined {
    if (!statement.mayWrite && !endsTransaction(statement)) return undefined
    const status = connection.client.getTransactionStatus()
    connection.synchronousCommit?.ran(statement)
    return {
      write: this.#commits.writeSent(connection.number, scopesOf(scope, this.#commits.pool)),
      statement,
      scope,
      wasInTransaction: status === 'T' || status === 'E',
    }
  }

  /** Its last ReadyForQuery has come, or its error. Calls back when the caller's promise may settle. */
  ended(sent: SentWrite, connection: ServerConnection, error: Error | undefined, settle: () => void): void {
    if (connection.identity?.inRecovery !== true) return this.#endedOnPrimary(sent, connection, error, settle)
    // Only a hint sends it to a standby, where nothing is written; unless that was promoted meanwhile, which it is asked.
    if (error !== undefined) {
      this.#commits.nothingWritten(sent.write)
      return settle()
    }
    const over = (row: TextRow) => {
      if (row['in_recovery'] !== 'true') return this.#endedOnPrimary(sent, connection, undefined, settle)
      this.#commits.nothingWritten(sent.write)
      settle()
    }
    askServer(connection.client, 'select pg_catalog.pg_is_in_recovery()::pg_catalog.text as in_recovery').then(
      over,
      () => over({}),
    )
  }

  #endedOnPrimary(sent: SentWrite, connection: ServerConnection, error: Error | undefined, settle: () => void): void {
    const { write, statement } = sent
    if (error !== undefined && !isServerError(error)) {
      withOutcome(error, 'unknown')
      this.#commits.outcomeUnknown(write)
      this.#lost(connection)
      return settle()
    }
    if (error !== undefined) withOutcome(error, sent.wasInTransaction ? 'rolled-back' : outcomeOf(error, statement))
    if (!isCommit(sent, connection, error)) {
      this.#commits.nothingWritten(write)
      return settle()
    }
    this.#commits.writeAcknowledged(write, connection.synchronousCommit?.surely(this.#setsSynchronousCommit()) ?? false)
    if (sent.scope.givesTokens) {
      connection.awaitsCapture = true
      this.#captures.whenConfirmed(write, () => {
        connection.awaitsCapture = false
        for (const listener of sent.scope.tokenListeners) listener()
        settle()
      })
    } else {
      this.#captures.wake()
      settle()
    }
  }
}

function scopesOf(scope: PoolScope, pool: Scope): readonly Scope[] {
  return scope.scope === pool ? [pool] : [pool, scope.scope]
}

/** Rule W1. After an error the status byte is still the one from before: the ReadyForQuery comes behind it. */
function isCommit({ statement, wasInTransaction }: SentWrite, connection: ServerConnection, error: unknown): boolean {
  const { kind } = statement
  if (kind === 'other' || kind === 'commit') return true
  if (error !== undefined) return !wasInTransaction && !leftNothing(statement)
  return connection.client.getTransactionStatus() === 'I'
}

/** A COMMIT of which the classifier knows no write may end a transaction that has written. */
function endsTransaction({ kind }: Statement): boolean {
  return kind === 'commit'
}
