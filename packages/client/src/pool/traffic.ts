import type pg from 'pg'
import { nowMs } from '../base/clock.js'
import { codeOf, MaestraError, messageOf } from '../base/error.js'
import { formatLsn } from '../postgres/lsn.js'
import { ReplayDelay } from '../routing/balance/replay-delay.js'
import type { CommitEvent } from '../routing/consistency/commit-event.js'
import { Commits } from '../routing/consistency/commits.js'
import type { Floor } from '../routing/consistency/floor.js'
import type { Position } from '../routing/consistency/position.js'
import { type Conditions, type Route, type RouteReason, route } from '../routing/route.js'
import { nextNumber } from '../routing/sequence.js'
import { once } from '../routing/session-state.js'
import { Classifier } from '../routing/statement/classify.js'
import { isRead, type Statement, withHint } from '../routing/statement/statement.js'
import type { Topology } from '../routing/topology/topology.js'
import type { TopologyEvent } from '../routing/topology/topology-event.js'
import { Watch } from '../routing/watch.js'
import type { TextRow } from './ask-server.js'
import { whenBackendEnded } from './backend-end.js'
import { captureConnection } from './capture-connection.js'
import { Captures } from './captures.js'
import { Catalog } from './catalog.js'
import type { ClientConnection } from './client-connection.js'
import { FloorSight } from './floor-sight.js'
import type { NodeConfig } from './node-configs.js'
import { NodeConnections } from './node-connections.js'
import { observeReplay } from './observed-read.js'
import { isServerError } from './outcome.js'
import { Parking } from './parking.js'
import { PinnedConnection } from './pinned-connection.js'
import type { RoutingEvent } from './pool-events.js'
import type { Routing } from './pool-options.js'
import { isServerGone, Primary } from './primary.js'
import { PrimaryReads } from './primary-reads.js'
import type { QueryCall, QueryCallback } from './query-arguments.js'
import { ReadSearch, searchFor } from './read-search.js'
import { Reads } from './reads.js'
import { ReplicaConnection, replicaBehind } from './replica-connection.js'
import { type PoolScope, Scopes } from './scopes.js'
import { sendCall } from './send-call.js'
import type { ServerConnection } from './server-connection.js'
import { Counters } from './statistics.js'
import { TopologyFollower } from './topology-follower.js'
import { TotalLimit } from './total-limit.js'
import { UnseenPositions } from './unseen-positions.js'
import { openWatchConnection } from './watch-connection.js'
import { Writes } from './writes.js'

export type TrafficHost = {
  readonly emit: (event: RoutingEvent) => void
  /** The application's listeners of new connections. */
  readonly connected: (client: pg.PoolClient) => void
  readonly forward: (pool: pg.Pool) => void
}

/** By which a client that only reads looks for its server. */
const readOnlyClient: Statement = {
  kind: 'read',
  reason: 'proven-read',
  single: true,
  mayWrite: false,
  maySetParameters: false,
  changesNames: false,
  replicaByHint: true,
}

/** What a named statement without a text is: nobody knows. */
const untold: Statement = {
  kind: 'other',
  reason: 'empty-text',
  single: false,
  mayWrite: true,
  maySetParameters: true,
  changesNames: false,
  replicaByHint: false,
}

/** All that goes between an application and several servers: each statement finds its node, and what it wrote is remembered. */
export class Traffic {
  readonly nodes = new Map<string, NodeConnections>()
  readonly counters = new Counters()
  readonly scopes: Scopes
  readonly commits: Commits
  readonly watch: Watch
  readonly #routing: Routing
  readonly #host: TrafficHost
  readonly #classifier = new Classifier()
  readonly #delay = new ReplayDelay()
  readonly #configs: ReadonlyMap<string, pg.PoolConfig>
  readonly #sight: FloorSight
  readonly #limit: TotalLimit
  /** Why the watch has no connection to a server. */
  readonly #refusals = new Map<string, Error>()
  readonly #follower: TopologyFollower
  readonly #captures: Captures
  readonly #parking: Parking
  readonly #primary: Primary
  readonly #search: ReadSearch
  readonly #reads: Reads
  readonly #writes: Writes
  readonly #catalog: Catalog
  readonly #unseen: UnseenPositions
  #setsSynchronousCommit = true
  #waitingForStart: (() => void)[] | undefined = []
  #isStarted = false
  #startTimer: NodeJS.Timeout | undefined

  constructor(configs: readonly NodeConfig[], routing: Routing, host: TrafficHost) {
    this.#routing = routing
    this.#host = host
    this.commits = new Commits({
      sequence: { next: nextNumber },
      consistency: routing.consistency,
      tell: (event) => host.emit(commitEvent(event)),
    })
    // Rule R10: what is there when the pool starts is seen by its reads, those of sessions too.
    this.commits.start()
    this.scopes = new Scopes(this.commits)
    this.#configs = new Map(configs.map(({ address, config }) => [address, config]))
    this.watch = new Watch({
      addresses: configs.map(({ address }) => address),
      connect: async (address, signal) => {
        try {
          const connection = await openWatchConnection(this.#configs.get(address) ?? {}, signal)
          this.#refusals.delete(address)
          return connection
        } catch (error) {
          this.#refusals.set(address, error as Error)
          throw error
        }
      },
      primaryFreshMs: routing.primaryFreshMs,
      keepsAlive: false,
    })
    const topology = () => this.watch.topology
    this.#sight = new FloorSight(topology)
    this.#limit = new TotalLimit(routing.maxTotal, () => this.nodes.values())
    for (const { address, config } of configs) this.nodes.set(address, this.#connectionsTo(address, config))
    this.#follower = new TopologyFollower({
      commits: this.commits,
      delay: this.#delay,
      judge: (position) => this.#sight.judge(position),
      connectionsOf: (address) => this.nodes.get(address)?.connections ?? [],
      primaryChanged: () => this.#primaryChanged(),
    })
    this.#captures = new Captures({
      commits: this.commits,
      connectionBefore: (openedBefore) =>
        captureConnection(
          this.watch,
          (address) => this.nodes.get(address),
          (connection) => this.#primary.isPrimary(connection),
          openedBefore,
        ),
      onReading: ({ insert }) => this.#delay.captured(insert, nowMs()),
    })
    this.#parking = new Parking({
      askPosition: (address) => this.watch.progress(address),
      satisfies: (address, floor) => {
        const node = topology().nodes.get(address)
        return node === undefined ? 'no' : this.#sight.satisfies(node, floor)
      },
    })
    const whenChanged = (timeoutMs: number, told: () => void) => this.#follower.whenChanged(timeoutMs, told)
    const nodeOf = (address: string) => this.nodes.get(address)
    const report = (address: string, error: unknown) => this.#report(address, error)
    this.#primary = new Primary(
      { topology, nodeOf, whenChanged, report, refusal: () => this.refusal() },
      routing.waitMs,
    )
    this.#writes = new Writes({
      commits: this.commits,
      captures: this.#captures,
      setsSynchronousCommit: () => this.#setsSynchronousCommit,
      lost: (connection) => whenBackendEnded(this.watch, connection, () => this.#backendEnded(connection)),
    })
    const primaryReads = new PrimaryReads({
      primary: this.#primary,
      max: configs[0]?.config.max ?? 10,
      reserve: routing.reserve,
      deadlineMs: routing.waitMs,
      judge: (floor) => this.#sight.primaryVerdict(floor),
      whenChanged,
    })
    this.#search = new ReadSearch({
      captures: this.#captures,
      parking: this.#parking,
      primary: this.#primary,
      primaryReads,
      counters: this.counters,
      parkMs: routing.parkMs,
      deadlineMs: routing.waitMs,
      nodeOf,
      route: ({ statement, floor, scope, excluded }, budgetMs) =>
        route(statement, once, topology(), floor, this.#conditions(scope, excluded, budgetMs)),
      holds: (connection, floor) => this.#sight.holds(connection, floor),
      observe: async (connection, floor) => await this.#observe(connection, floor),
      whenChanged,
      report,
    })
    this.#reads = new Reads({
      search: this.#search,
      counters: this.counters,
      report,
      sendWrite: (connection, call, statement, scope, told) =>
        this.#sendWrite(connection, call, statement, scope, told),
    })
    this.#catalog = new Catalog({
      ask: async (texts) => await this.#askPrimary(texts),
      seen: ({ names, setsSynchronousCommit }) => {
        this.#setsSynchronousCommit = setsSynchronousCommit
        this.#classifier.setNames(names)
      },
      failed: (error) => host.emit({ kind: 'catalog-failed', error: messageOf(error) }),
    })
    this.#unseen = new UnseenPositions({
      isAhead: (position) => this.#sight.isAhead(position),
      askPrimary: async () => {
        const { primary } = topology()
        if (primary !== undefined) await this.watch.progress(primary.address)
      },
    })
    void this.#classifier.load()
  }

  /** Begins to watch the servers, at the first statement; what is told runs when it is known who they are. */
  whenStarted(run: () => void): void {
    if (this.#waitingForStart === undefined) return run()
    this.#waitingForStart.push(run)
    if (this.#isStarted) return
    this.#isStarted = true
    this.watch.onEvent((event) => {
      this.#abandon(event)
      this.#host.emit(event)
    })
    this.watch.onChange((topology) => {
      this.#follower.follow(topology)
      if (this.#waitingForStart !== undefined && isKnown(topology)) this.#started()
    })
    this.watch.start()
    // The watch alone keeps no process alive, and a server that hangs must not hold up the others for ever.
    this.#startTimer = setTimeout(() => this.#started(), this.#routing.waitMs)
  }

  classify(call: QueryCall): Statement {
    const { text, options } = call
    if (text === undefined) return untold
    const statement = this.#classifier.classify(text)
    return options.target === undefined ? statement : withHint(statement, options.target)
  }

  /** One statement of `pool.query`, or a read of a client. */
  run(call: QueryCall, statement: Statement, scope: PoolScope, told: QueryCallback): void {
    if (isRead(statement)) {
      const { consistency } = call.options
      const floor = this.commits.floorFor(consistency === undefined ? noOptions : { consistency }, scope.scope)
      return this.#unseen.look(floor, (unseen) => {
        const known = unseen.length === 0 ? floor : this.#forget(unseen, scope)
        this.#reads.run(call, statement, scope, known, told)
      })
    }
    this.#write(call, statement, scope, told, false)
  }

  #write(call: QueryCall, statement: Statement, scope: PoolScope, told: QueryCallback, isAgain: boolean): void {
    this.#primary.acquire((error, connection) => {
      if (connection === undefined) return told(error, undefined)
      const { address } = connection.node
      this.counters.count(address, statement.reason)
      this.#sendWrite(connection, call, statement, scope, (failure, result) => {
        connection.release(this.#mayBeKept(connection, statement, failure) ? undefined : (failure ?? true))
        const isRefused = codeOf(failure) === '25006' && statement.kind === 'row-change'
        if (!isRefused || isAgain) return told(failure, result)
        // It certainly did not start (rule W6): the server takes no writes any more, and another one may by now.
        this.counters.undo(address, statement.reason)
        this.#follower.whenChanged(this.#routing.primaryFreshMs, () => this.#write(call, statement, scope, told, true))
      })
    })
  }

  /**
   * Rule T1: what no server has written was never acknowledged to anybody. The token may have hidden what its scope wrote since,
   * so the scope needs what the primary has now.
   */
  #forget(invalid: readonly Position[], { scope }: PoolScope): Floor {
    for (const { timeline, lsn } of invalid) {
      this.#host.emit({ kind: 'token-invalid', why: `no server has written ${formatLsn(lsn)} of timeline ${timeline}` })
    }
    scope.replaceConfirmed(scope.confirmed.filter((position) => !invalid.includes(position)))
    this.commits.raise(scope)
    return this.commits.floorFor(noOptions, scope)
  }

  /** The same where there is one server. */
  runDirectly(call: QueryCall, told: QueryCallback): void {
    this.#onlyNode().acquire((error, connection) => {
      if (connection === undefined) return told(error, undefined)
      this.counters.count(connection.node.address, call.isSubmittable ? 'submittable' : 'single-server')
      sendCall(connection, call, (failure, result) => {
        connection.release(failure === undefined || isServerError(failure) ? undefined : failure)
        told(failure, result)
      })
    })
  }

  pinDirectly(
    scope: PoolScope,
    done: (error: Error | undefined, connection: PinnedConnection | undefined) => void,
  ): void {
    this.#onlyNode().acquire((error, connection) => done(error, connection && this.#pinned(connection, scope)))
  }

  /** A connection of the primary for one client. */
  pin(scope: PoolScope, done: (error: Error | undefined, connection: PinnedConnection | undefined) => void): void {
    this.#primary.acquire((error, connection) => done(error, connection && this.#pinned(connection, scope)))
  }

  /** A connection that has what the scope must see, for a client that only reads: of a replica, or of the primary where there is none. */
  pinReadOnly(
    scope: PoolScope,
    done: (error: Error | undefined, connection: ClientConnection | undefined) => void,
  ): void {
    const search = searchFor(readOnlyClient, scope, this.commits.floorFor(noOptions, scope.scope))
    this.#search.find(search, (error, connection, reason) => {
      if (connection === undefined || reason === undefined) return done(error, undefined)
      done(undefined, this.#readOnly(connection, reason, scope))
    })
  }

  pinNow(scope: PoolScope): PinnedConnection | undefined {
    const connection = this.#primary.acquireIdle()
    return connection && this.#pinned(connection, scope)
  }

  /** Where a statement would go now, without running it. */
  explain(call: QueryCall, scope: PoolScope): { readonly statement: Statement; readonly route: Route } {
    const statement = this.classify(call)
    const floor = this.commits.floorFor(noOptions, scope.scope)
    const conditions = this.#conditions(scope, new Set(), this.#routing.parkMs)
    return { statement, route: route(statement, once, this.watch.topology, floor, conditions) }
  }

  wakeCaptures(): void {
    this.#captures.wake()
  }

  /** The error with which every server refuses this application, when waiting does not help. */
  refusal(): Error | undefined {
    if (this.#refusals.size < this.nodes.size) return undefined
    const refusals = [...this.#refusals.values()]
    const [first] = refusals
    return first !== undefined && refusals.every((error) => !isServerGone(error)) ? copyOf(first) : undefined
  }

  /** As whom connections log in: what node-postgres makes of options, environment and defaults. */
  login(): { readonly user: string | undefined; readonly database: string | undefined } {
    for (const { connections } of this.nodes.values()) {
      for (const { client } of connections) return { user: client.user, database: client.database }
    }
    return { user: undefined, database: undefined }
  }

  get parkedNow(): number {
    return this.#parking.count
  }

  async end(): Promise<void> {
    this.#catalog.stop()
    await Promise.all([...this.nodes.values()].map(({ pool }) => pool.end()))
    this.#captures.stop()
    this.#follower.stop()
    this.watch.stop()
  }

  #onlyNode(): NodeConnections {
    const [node] = this.nodes.values()
    if (node === undefined) throw new MaestraError('bad-usage', 'the pool has no server')
    return node
  }

  #pinned(connection: ServerConnection, scope: PoolScope): PinnedConnection {
    return new PinnedConnection({
      connection,
      writes: this.#writes,
      scope,
      classify: (call) => {
        const statement = this.classify(call)
        this.counters.count(connection.node.address, call.isSubmittable ? 'submittable' : 'pinned')
        return statement
      },
      changedNames: () => this.#namesChanged(),
      // Rule R10: whoever is told of something by NOTIFY reads it.
      notified: () => {
        this.commits.raise(this.commits.pool)
        if (scope.scope !== this.commits.pool) this.commits.raise(scope.scope)
        this.#captures.wake()
      },
      leftOpen: () => this.#host.emit({ kind: 'transaction-left-open', address: connection.node.address }),
    })
  }

  #readOnly(connection: ServerConnection, reason: RouteReason, scope: PoolScope): ReplicaConnection {
    return new ReplicaConnection({
      connection,
      classify: (call) => {
        this.counters.count(connection.node.address, reason)
        return this.classify(call)
      },
      whenItHas: (_connection, told) => {
        const floor = this.commits.floorFor(noOptions, scope.scope)
        if (floor.kind !== 'pending') return this.#whenItHas(connection, floor, told)
        this.#captures.whenKnown(floor, this.#routing.waitMs, (known) =>
          this.#whenItHas(connection, known ?? floor, told),
        )
      },
    })
  }

  #whenItHas(connection: ServerConnection, floor: Floor, told: (error: Error | undefined) => void): void {
    const { address } = connection.node
    const { parkMs } = this.#routing
    if (connection.identity?.inRecovery !== true || this.#sight.holds(connection, floor) === 'yes')
      return told(undefined)
    this.#parking.park(address, floor, parkMs, (outcome) => {
      if (outcome !== 'satisfied') return told(replicaBehind(address, parkMs))
      this.#observe(connection, floor).then(
        (isEnough) => told(isEnough ? undefined : replicaBehind(address, parkMs)),
        (error: Error) => told(error),
      )
    })
  }

  async #observe(connection: ServerConnection, floor: Floor): Promise<boolean> {
    return (await observeReplay(connection)) && this.#sight.holds(connection, floor) === 'yes'
  }

  #sendWrite(
    connection: ServerConnection,
    call: QueryCall,
    statement: Statement,
    scope: PoolScope,
    told: QueryCallback,
  ): void {
    const sent = this.#writes.sent(connection, statement, scope)
    sendCall(connection, call, (error, result) => {
      if (statement.changesNames) this.#namesChanged()
      if (error !== undefined) this.#report(connection.node.address, error)
      if (sent === undefined) told(error, result)
      else this.#writes.ended(sent, connection, error, () => told(error, result))
    })
  }

  /** After an error of a text of several statements, a BEGIN may be among them, nobody knows yet what state the connection is in. */
  #mayBeKept({ client }: ServerConnection, { single }: Statement, error: Error | undefined): boolean {
    if (error !== undefined) return isServerError(error) && single
    return client.getTransactionStatus() === 'I'
  }

  #conditions(scope: PoolScope, excluded: ReadonlySet<string>, budgetMs: number): Conditions {
    const { maxLagMs, whenPrimaryAway, sticky } = this.#routing
    return {
      excluded,
      budgetMs,
      maxLagMs,
      whenPrimaryAway,
      sticky: sticky ? scope.lastNode : undefined,
      inFlight: this.#inFlight,
      satisfies: this.#satisfies,
      expectedWaitMs: this.#expectedWaitMs,
    }
  }

  /** With the statements of before as a fraction, so that of two idle nodes the one that has done less is next. */
  readonly #inFlight = (address: string): number =>
    (this.nodes.get(address)?.inFlight ?? 0) + (this.counters.byNode.get(address) ?? 0) * 1e-12

  readonly #satisfies: Conditions['satisfies'] = (node, floor) => this.#sight.satisfies(node, floor)

  readonly #expectedWaitMs = (address: string, floor: Floor): number => {
    if (floor.kind !== 'at') return 0
    let waitMs = 0
    for (const { lsn } of floor.positions) waitMs = Math.max(waitMs, this.#delay.expectedWaitMs(address, lsn, nowMs()))
    return waitMs
  }

  #connectionsTo(address: string, config: pg.PoolConfig): NodeConnections {
    const node: NodeConnections = new NodeConnections(address, config, {
      opened: (client) => this.#host.connected(client),
      identified: (connection, identity) => {
        const { primary } = this.#follower
        const isPrimary = this.watch.topology.primary?.address === address && primary?.startedAt === identity.startedAt
        if (isPrimary) this.commits.connectionOpened(connection.number, primary)
      },
      profileFailed: (_connection, error) =>
        this.#host.emit({ kind: 'session-profile-failed', address, error: messageOf(error) }),
      closed: (connection) => {
        this.commits.connectionLost(connection.number)
        this.#limit.changed()
      },
      within: (open) => this.#limit.within(node, open),
      released: () => this.#limit.changed(),
    })
    this.#host.forward(node.pool)
    return node
  }

  /** What is on a server that will not answer, or that is not to be asked any more, does not wait for its answer. */
  #abandon(event: TopologyEvent): void {
    const { primary } = this.watch.topology
    if (event.kind === 'node-ejected' && event.address !== primary?.address && !this.#mayBePrimary(event.address)) {
      this.nodes.get(event.address)?.abandon(event.reason)
    }
    if (event.kind === 'primary-changed' && event.from !== undefined && event.from !== event.to) {
      this.nodes.get(event.from)?.abandon(`the primary is ${event.to} now`)
    }
    if (event.kind === 'wrong-system' || event.kind === 'former-primary') {
      this.nodes.get(event.address)?.abandon('it is not of this cluster any more')
    }
  }

  /** The primary that is away may be back, and its writes with it. */
  #mayBePrimary(address: string): boolean {
    const { primaryState, memory } = this.watch.topology
    return primaryState !== 'known' && memory.primary?.address === address
  }

  #primaryChanged(): void {
    this.#classifier.setNames(undefined)
    this.#catalog.refresh()
    this.#captures.wake()
  }

  #namesChanged(): void {
    this.#classifier.setNames(undefined)
    this.#catalog.refresh()
  }

  /** On a connection of its own: the application's are counted, and the watch's must not wait. */
  async #askPrimary(texts: readonly string[]): Promise<readonly TextRow[]> {
    const { primary } = this.watch.topology
    const config = primary && this.#configs.get(primary.address)
    if (config === undefined) throw new MaestraError('primary-unknown', 'no primary answers')
    const connection = await openWatchConnection(config, AbortSignal.timeout(catalogMs))
    try {
      const rows: TextRow[] = []
      for (const text of texts) rows.push(...((await connection.query(text)) as readonly TextRow[]))
      return rows
    } finally {
      connection.close()
    }
  }

  #report(address: string, error: unknown): void {
    const code = codeOf(error)
    if (error === undefined) this.watch.probe([address])
    else if (code !== undefined) this.watch.report({ address, code })
    else this.watch.report({ address, code: 'ECONNRESET' })
    // DDL that the classifier does not know of yet.
    if (code !== undefined && namesOld.has(code)) this.#catalog.refresh()
  }

  #backendEnded({ number }: ServerConnection): void {
    this.commits.backendGone(number)
    this.#captures.wake()
  }

  #started(): void {
    clearTimeout(this.#startTimer)
    if (this.watch.topology.primary === undefined) this.commits.startWithout()
    const waiting = this.#waitingForStart ?? []
    this.#waitingForStart = undefined
    for (const run of waiting) run()
  }
}

/** Each caller gets an error of its own: what is added to it is about one statement. */
function copyOf(error: Error): Error {
  return Object.assign(Object.create(Object.getPrototypeOf(error) as object) as Error, error, {
    message: error.message,
    stack: error.stack,
  })
}

function commitEvent(event: CommitEvent): RoutingEvent {
  const count = event.writes.length
  if (event.kind === 'writes-uncertain') return { kind: event.kind, reason: event.reason, count }
  return { kind: event.kind, position: formatLsn(event.position.lsn), timeline: event.position.timeline, count }
}

/** For the questions about the names of a database, in milliseconds. */
const catalogMs = 30_000
const noOptions = {}
/** What a standby says of names that the classifier was told otherwise about. */
const namesOld = new Set(['42P01', '42703', '42883', '42704', '25006'])

/** A primary is known, or every server has been asked once. */
function isKnown({ nodes, primary }: Topology): boolean {
  if (primary !== undefined) return true
  for (const { answers, lastError } of nodes.values()) if (!answers && lastError === undefined) return false
  return true
}
