import type pg from 'pg'
import type { Lsn } from '../../postgres/lsn.js'
import type { TimelineId } from '../../postgres/timeline.js'
import type { SynchronousCommit } from '../../routing/consistency/synchronous-commit.js'
import type { Progress } from '../../routing/topology/server-state.js'
import { isServerError } from '../calls/outcome.js'
import type { NodeConnections } from './node-connections.js'
import type { ServerIdentity } from './server-identity.js'
import type { ProfileFailure } from './session-profile.js'

export type Observed = {
  readonly replayed: Lsn
  /** The number of the look, taken before it was made (rule R2). */
  readonly at: number
  /** Of what its WAL receiver writes, read after the position; undefined where the role does not see it. */
  readonly timeline: TimelineId | undefined
}

/** One connection of a node, and what is known of the server process at its other end. It lives as long as that process. */
export class ServerConnection {
  readonly node: NodeConnections
  readonly client: pg.PoolClient
  /** Connections, commits and observations take numbers of one row, so that "opened before" is `<` (rule R2). */
  readonly number: number
  /** Undefined until the server was asked. */
  identity: ServerIdentity | undefined
  /** Another server process may answer each statement (rule R4). */
  isPooled = false
  /** What this very connection has last seen of its server's replay. */
  observed: Observed | undefined
  /** Resolves when what the application sends to each new connection has ended. */
  profile: Promise<ProfileFailure | undefined> = Promise.resolve(undefined)
  /** Whether what commits here surely waits for the disk (rule W4). Undefined until the server was asked. */
  synchronousCommit: SynchronousCommit | undefined

  /** Its last statement was answered, and whoever has it is told when the position of what that wrote is known (rule W7). */
  awaitsCapture = false

  #isDispensable = true

  /** How often its server told that a setting of the session is another one. */
  parameterChanges = 0

  /** Called once when it is given back. */
  onRelease: (() => void) | undefined

  constructor(node: NodeConnections, client: pg.PoolClient, number: number) {
    this.node = node
    this.client = client
    this.number = number
  }

  /** Keeps what a look has seen; false where that was no standby, or one that has replayed nothing: it knows no position then. */
  note(progress: Progress, at: number): boolean {
    this.observed =
      progress.inRecovery && progress.replayed !== undefined
        ? { replayed: progress.replayed, at, timeline: progress.receivedTimeline }
        : undefined
    return this.observed !== undefined
  }

  /** Nothing is lost with it but reads, which may be asked elsewhere, and what the pool asks for itself. */
  get isDispensable(): boolean {
    return this.#isDispensable || this.awaitsCapture
  }

  set isDispensable(isDispensable: boolean) {
    this.#isDispensable = isDispensable
  }

  get isBroken(): boolean {
    // What node-postgres itself asks before it takes a connection back; it has no public name.
    return (this.client as { _queryable?: boolean })._queryable === false
  }

  /** Whether statements are sent before those before them are answered. Only while it is idle may that change. */
  set isPipelined(isOn: boolean) {
    // node-postgres takes it as an option when a client is made, and reads the field with each statement.
    ;(this.client as { pipeline?: boolean }).pipeline = isOn
  }

  /**
   * Gives it back behind its last statement, whatever that was: a connection that broke, or is still inside a transaction, is
   * closed (rule S1). Behind an error the server's last word is still to come.
   */
  giveBack(error: Error | undefined, leftOpen?: () => void): void {
    if (error !== undefined && !isServerError(error)) return this.release(error)
    this.isDispensable = true
    this.#whenReady(() => {
      const isIdle = this.client.getTransactionStatus() === 'I'
      if (!isIdle && !this.isBroken) leftOpen?.()
      this.release(!isIdle)
    })
  }

  #whenReady(then: () => void): void {
    // node-postgres has no public name for it either.
    if (this.isBroken || (this.client as { readyForQuery?: boolean }).readyForQuery !== false) return then()
    const { connection } = this.client
    const once = () => {
      connection.removeListener('readyForQuery', once)
      connection.removeListener('end', once)
      then()
    }
    connection.on('readyForQuery', once)
    connection.on('end', once)
  }

  /** Gives it back; with an error, or true, the connection is closed. */
  release(error?: Error | boolean): void {
    const { onRelease } = this
    this.onRelease = undefined
    this.isDispensable = true
    this.client.release(error)
    this.node.released()
    onRelease?.()
  }
}
