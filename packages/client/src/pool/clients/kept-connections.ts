import type { Commits } from '../../routing/consistency/commits.js'
import type { Floor } from '../../routing/consistency/floor.js'
import type { RouteReason } from '../../routing/route.js'
import { provenRead } from '../../routing/statement/statement.js'
import type { CallClasses } from '../calls/call-classes.js'
import type { Counters } from '../calls/counters.js'
import type { NodeConnections } from '../connections/node-connections.js'
import type { ServerConnection } from '../connections/server-connection.js'
import type { Parking } from '../reads/parking.js'
import { type ReadSearch, searchFor } from '../reads/read-search.js'
import type { Primary } from '../servers/primary.js'
import type { PoolScope } from '../sessions/scopes.js'
import type { AutocommitWrites } from '../writes/autocommit-writes.js'
import type { Captures } from '../writes/captures.js'
import type { Writes } from '../writes/writes.js'
import type { ClientConnection } from './client-connection.js'
import { PinnedConnection } from './pinned-connection.js'
import { ReplicaConnection, replicaBehind } from './replica-connection.js'

export type KeptHost = {
  readonly primary: Primary
  readonly search: ReadSearch
  readonly writes: Writes
  readonly commits: Commits
  readonly captures: Captures
  readonly parking: Parking
  readonly classes: CallClasses
  readonly counters: Counters
  readonly parkMs: number
  readonly waitMs: number
  readonly holds: (connection: ServerConnection, floor: Floor) => 'yes' | 'ask' | 'no'
  readonly observe: (connection: ServerConnection, floor: Floor) => Promise<boolean>
  readonly sendWrite: AutocommitWrites['send']
  readonly changedNames: () => void
  /** A client gave its connection to this server back within a transaction. */
  readonly leftOpen: (address: string) => void
}

export type Kept = (error: Error | undefined, connection: ClientConnection | undefined) => void

const noOptions = {}

/** The connections that clients of `pool.connect()` keep (rules S2 and S3). */
export class KeptConnections {
  readonly #host: KeptHost

  constructor(host: KeptHost) {
    this.#host = host
  }

  /** One of the primary. */
  pin(scope: PoolScope, done: Kept): void {
    this.#host.primary.acquire((error, connection) => done(error, connection && this.#pinned(connection, scope)))
  }

  /** One of the primary that is there at once, or undefined. */
  pinNow(scope: PoolScope): ClientConnection | undefined {
    const connection = this.#host.primary.acquireIdle()
    return connection && this.#pinned(connection, scope)
  }

  /** One of the only server that there is. */
  pinOn(node: NodeConnections, scope: PoolScope, done: Kept): void {
    node.acquire((error, connection) => done(error, connection && this.#pinned(connection, scope)))
  }

  /** One that has what the scope must see, for a client that only reads: of a replica, or of the primary where there is none. */
  pinReadOnly(scope: PoolScope, done: Kept): void {
    const search = searchFor(provenRead, scope, this.#floor(scope))
    this.#host.search.find(search, (error, seat, reason) => {
      if (seat === undefined || reason === undefined) return done(error, undefined)
      done(undefined, this.#readOnly(seat.connection, reason, scope))
    })
  }

  #pinned(connection: ServerConnection, scope: PoolScope): PinnedConnection {
    const { writes, classes, counters, commits, captures, changedNames, leftOpen } = this.#host
    return new PinnedConnection({
      connection,
      writes,
      scope,
      classify: (call) => {
        counters.count(connection.node.address, call.isSubmittable ? 'submittable' : 'pinned')
        return classes.classify(call)
      },
      changedNames,
      // Rule R10: whoever is told of something by NOTIFY reads it.
      notified: () => {
        commits.raise(commits.pool)
        if (scope.scope !== commits.pool) commits.raise(scope.scope)
        captures.wake()
      },
      leftOpen: () => leftOpen(connection.node.address),
    })
  }

  #readOnly(connection: ServerConnection, reason: RouteReason, scope: PoolScope): ReplicaConnection {
    connection.isDispensable = false
    const { captures, classes, counters, sendWrite, waitMs } = this.#host
    return new ReplicaConnection({
      connection,
      count: () => counters.count(connection.node.address, reason),
      classify: (call) => classes.classify(call),
      whenNamed: (told) => classes.whenNamed(told),
      sendWrite: (call, statement, told) => sendWrite(connection, call, statement, scope, told),
      whenItHas: (told) => {
        const floor = this.#floor(scope)
        if (floor.kind !== 'pending') return this.#whenItHas(connection, floor, told)
        captures.whenKnown(floor, waitMs, (known) => this.#whenItHas(connection, known ?? floor, told))
      },
    })
  }

  #whenItHas(connection: ServerConnection, floor: Floor, told: (error: Error | undefined) => void): void {
    const { holds, observe, parking, parkMs } = this.#host
    const { address } = connection.node
    if (connection.identity?.inRecovery !== true || holds(connection, floor) === 'yes') return told(undefined)
    parking.park(address, floor, parkMs, (outcome) => {
      if (outcome !== 'satisfied') return told(replicaBehind(address, parkMs))
      observe(connection, floor).then(
        (isEnough) => told(isEnough ? undefined : replicaBehind(address, parkMs)),
        (error: Error) => told(error),
      )
    })
  }

  #floor(scope: PoolScope): Floor {
    return this.#host.commits.floorFor(noOptions, scope.scope)
  }
}
