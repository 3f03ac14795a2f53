import pg from 'pg'
import { nowMs } from '../../base/clock.js'
import { codeOf } from '../../base/error.js'
import { SynchronousCommit } from '../../routing/consistency/synchronous-commit.js'
import { nextNumber } from '../../routing/sequence.js'
import { Lanes } from './lanes/lanes.js'
import { ServerConnection } from './server-connection.js'
import { askIdentity, isPooled, type ServerIdentity } from './server-identity.js'
import { whileRecording } from './session-profile.js'

/** For so long a replica on which the session profile failed is left alone: what it lacks may be replayed by then. */
const unfitMs = 5000

/** What happens at the connections of a node. */
export type ConnectionEvents = {
  /** A connection was opened: what listeners send at once is the session profile, and stands before all else (rule S4). */
  readonly opened: (client: pg.PoolClient) => void
  /** What its server is, once the session profile has run. A thrown error closes the connection. */
  readonly identified: (connection: ServerConnection, identity: ServerIdentity) => void
  readonly profileFailed: (connection: ServerConnection, error: unknown) => void
  readonly closed: (connection: ServerConnection) => void
  /** Runs it as soon as one more connection may be opened. */
  readonly within: (open: () => void) => void
  readonly released: () => void
}

export type Acquired = (error: Error | undefined, connection: ServerConnection | undefined) => void

/** Somebody who waits for a connection, and where among those who do; without `acquired` nobody does any more. */
type Waiting = { acquired: Acquired | undefined; at: number }

/** What node-postgres has no public names for. */
type InsidePool = {
  readonly _clients: readonly pg.PoolClient[]
  readonly _pendingQueue: unknown[]
  _pulseQueue(): void
}

/** The connections of one server: a pool of node-postgres, which knows limits, ages and timeouts. */
export class NodeConnections {
  readonly address: string
  readonly pool: pg.Pool
  /** Statements and clients that have a connection or wait for one. */
  inFlight = 0
  readonly lanes = new Lanes(this)
  readonly #events: ConnectionEvents
  #unfitUntilMs = 0
  // Not a Set: what is left of one that has outgrown its place keeps what it held alive, from one collection to the next.
  readonly #waiting: Waiting[] = []
  readonly #of = new Map<pg.ClientBase, ServerConnection>()

  constructor(address: string, config: pg.PoolConfig, events: ConnectionEvents) {
    this.address = address
    this.#events = events
    const { verify } = config
    this.pool = new pg.Pool({
      ...config,
      verify: (client, done) => {
        const isFine = (error?: Error) =>
          error === undefined && verify !== undefined ? verify(client, done) : done(error)
        this.#identify(client, events).then(() => isFine(), isFine)
      },
    })
    this.pool.on('connect', (client) => {
      const connection = new ServerConnection(this, client, nextNumber())
      this.#of.set(client, connection)
      client.connection.on('parameterStatus', () => {
        connection.parameterChanges += 1
      })
      closeBehindGoodbye(client)
      // Whoever has it learns of a broken connection by the statement that fails; one who listens, as well.
      client.on('error', () => {})
      client.once('end', () => {
        this.#of.delete(client)
        events.closed(connection)
      })
      connection.profile = whileRecording(client, () => events.opened(client))
    })
  }

  /** Those that are open. */
  get connections(): Iterable<ServerConnection> {
    return this.#of.values()
  }

  /** As a replica it is not used: the session profile did not succeed here, a moment ago. */
  get isUnfit(): boolean {
    return nowMs() < this.#unfitUntilMs
  }

  /** Calls back later, but for an error. */
  acquire(acquired: Acquired): void {
    this.inFlight += 1
    const waiting: Waiting = { acquired, at: this.#waiting.length }
    this.#waiting.push(waiting)
    let isTurn = false
    let timer: NodeJS.Timeout | undefined
    this.#events.within(() => {
      isTurn = true
      clearTimeout(timer)
      this.#connect(waiting)
    })
    const { connectionTimeoutMillis = 0 } = this.pool.options
    if (isTurn || connectionTimeoutMillis === 0) return
    // As node-postgres says it of those who wait for one of its own.
    const late = () => this.#giveUp(waiting, new Error('timeout exceeded when trying to connect'))
    timer = setTimeout(late, connectionTimeoutMillis)
  }

  #connect(waiting: Waiting): void {
    if (waiting.acquired === undefined) return
    this.pool.connect((error, client) => {
      const { acquired } = waiting
      if (acquired === undefined) {
        client?.release()
        return this.#events.released()
      }
      const connection = client === undefined ? undefined : this.#of.get(client)
      if (connection === undefined) {
        this.#giveUp(waiting, error ?? new Error('the pool gave no connection'))
        // There is room for others.
        return this.#events.released()
      }
      this.#leave(waiting)
      connection.isDispensable = false
      acquired(undefined, connection)
    })
  }

  #giveUp(waiting: Waiting, error: Error): void {
    const { acquired } = waiting
    if (acquired === undefined) return
    this.#leave(waiting)
    this.inFlight -= 1
    acquired(error, undefined)
  }

  /** The last one takes its place. */
  #leave(waiting: Waiting): void {
    waiting.acquired = undefined
    const last = this.#waiting.pop()
    if (last === undefined || last === waiting) return
    last.at = waiting.at
    this.#waiting[last.at] = last
  }

  /**
   * Ends what is under way on this server and whoever waits for it: it does not answer, or is not what it was. Reads are asked
   * again elsewhere; what a write did is unknown.
   */
  abandon(reason: string): void {
    this.#abandon(this.#inside._clients, this.#goneError(reason))
  }

  /** The same, but for connections with which more is lost than reads: statements that may write, and clients that are out. */
  abandonReads(reason: string): void {
    const isLost = (client: pg.PoolClient) => this.#of.get(client)?.isDispensable ?? true
    this.#abandon(this.#inside._clients.filter(isLost), this.#goneError(reason))
  }

  /** Closes all connections, also those that are being opened, for nobody any more. One that is out is waited for. */
  async end(): Promise<void> {
    this.lanes.end()
    const ended = this.pool.end()
    this.#abandon(this.#inside._clients.filter((client) => this.#of.get(client)?.identity === undefined))
    await ended
  }

  #abandon(clients: readonly pg.PoolClient[], error?: Error): void {
    // Else a connection would be opened for each of those who have waited, to a server that may never answer.
    this.#inside._pendingQueue.length = 0
    for (const waiting of [...this.#waiting]) this.#giveUp(waiting, error ?? new Error('the pool has ended'))
    // A server that hangs answers no goodbye, nor does it open or refuse what it was asked to open.
    for (const client of clients) client.connection.stream.destroy(error)
    this.#events.released()
  }

  #goneError(reason: string): Error {
    return Object.assign(new Error(`${this.address}: ${reason}`), { code: 'ECONNRESET' })
  }

  get #inside(): InsidePool {
    return this.pool as unknown as InsidePool
  }

  /** A connection that nobody uses, without waiting; undefined when there is none. */
  acquireIdle(): ServerConnection | undefined {
    if (this.pool.idleCount === 0 || this.pool.waitingCount > 0) return undefined
    let found: pg.PoolClient | undefined
    this.pool.connect((_error, client) => {
      found = client
    })
    // node-postgres hands idle connections out on the next tick; this is what it does then.
    this.#inside._pulseQueue()
    const connection = found && this.#of.get(found)
    if (connection === undefined) return undefined
    this.inFlight += 1
    connection.isDispensable = false
    return connection
  }

  released(): void {
    this.inFlight -= 1
    this.#events.released()
  }

  /** A read shares a connection that is out already. */
  joined(): void {
    this.inFlight += 1
  }

  left(): void {
    this.inFlight -= 1
  }

  async #identify(client: pg.PoolClient, events: ConnectionEvents): Promise<void> {
    const connection = this.#of.get(client)
    if (connection === undefined) return
    // Rule S4: before any other use.
    const failure = await connection.profile
    const identity = await askIdentity(client).catch((error: unknown) => {
      if (codeOf(error) === '0A000') throw this.#isUnfit(connection, error)
      throw error
    })
    connection.identity = identity
    connection.isPooled = isPooled(client, identity)
    const { progress } = identity
    if (!connection.isPooled && progress !== undefined) connection.note(progress, connection.number)
    connection.synchronousCommit = new SynchronousCommit(identity.synchronousCommit)
    // On the primary it is the application's own affair, as with node-postgres; a replica that cannot have it is not used.
    if (failure !== undefined && identity.inRecovery) throw this.#isUnfit(connection, failure.error)
    this.#unfitUntilMs = 0
    events.identified(connection, identity)
  }

  /** With this session profile the replica is of no use; SERIALIZABLE is one with which none answers anything. */
  #isUnfit(connection: ServerConnection, error: unknown): unknown {
    if (!this.isUnfit) this.#events.profileFailed(connection, error)
    this.#unfitUntilMs = nowMs() + unfitMs
    return error
  }
}

/** When ours is written the other side has nothing to say any more; a server that hangs would keep the socket, and so the process. */
function closeBehindGoodbye({ connection: { stream } }: pg.PoolClient): void {
  stream.once('finish', () => stream.destroy())
}
