import type pg from 'pg'
import { nowMs } from '../base/clock.js'
import { codeOf, MaestraError, messageOf } from '../base/error.js'
import { formatLsn } from '../postgres/lsn.js'
import { ReplayDelay } from '../routing/balance/replay-delay.js'
import type { CommitEvent } from '../routing/consistency/commit-event.js'
import { Commits } from '../routing/consistency/commits.js'
import type { Floor } from '../routing/consistency/floor.js'
import type { Position } from '../routing/consistency/position.js'
import { type Route, route } from '../routing/route.js'
import { nextNumber } from '../routing/sequence.js'
import { once } from '../routing/session-state.js'
import { isRead, type Statement } from '../routing/statement/statement.js'
import { Watch } from '../routing/watch.js'
import type { TextRow } from './calls/ask-server.js'
import { CallClasses } from './calls/call-classes.js'
import { Counters } from './calls/counters.js'
import type { QueryCall, QueryCallback } from './calls/query-arguments.js'
import { KeptConnections } from './clients/kept-connections.js'
import { hasQueryTimeout, type NodeConfig } from './connections/node-configs.js'
import { NodeConnections } from './connections/node-connections.js'
import { observeReplay } from './connections/observed-read.js'
import { sendCall } from './connections/send-call.js'
import type { ServerConnection } from './connections/server-connection.js'
import { TotalLimit } from './connections/total-limit.js'
import type { RoutingEvent } from './pool-events.js'
import type { Routing } from './pool-options.js'
import { FloorSight } from './reads/floor-sight.js'
import { Parking } from './reads/parking.js'
import { PrimaryReads } from './reads/primary-reads.js'
import { ReadConditions } from './reads/read-conditions.js'
import { ReadSearch } from './reads/read-search.js'
import { Reads } from './reads/reads.js'
import { abandonAfter, abandonHungReads } from './servers/abandon.js'
import { CatalogConnection } from './servers/catalog-connection.js'
import { leadsElsewhere } from './servers/leads-elsewhere.js'
import { isServerGone, Primary } from './servers/primary.js'
import { Refusals } from './servers/refusals.js'
import { Start } from './servers/start.js'
import { TopologyFollower } from './servers/topology-follower.js'
import { openWatchConnection } from './servers/watch-connection.js'
import { type PoolScope, Scopes } from './sessions/scopes.js'
import { UnseenPositions } from './sessions/unseen-positions.js'
import { AutocommitWrites } from './writes/autocommit-writes.js'
import { whenBackendEnded } from './writes/backend-end.js'
import { captureConnection, followingConnection } from './writes/capture-connection.js'
import { Captures } from './writes/captures.js'
import { Writes } from './writes/writes.js'

export type TrafficHost = {
  readonly emit: (event: RoutingEvent) => void
  /** The application's listeners of new connections. */
  readonly connected: (client: pg.PoolClient) => void
  readonly forward: (pool: pg.Pool) => void
}

/** All that goes between an application and several servers: each statement finds its node, and what it wrote is remembered. */
export class Traffic {
  readonly nodes = new Map<string, NodeConnections>()
  readonly counters = new Counters()
  readonly scopes: Scopes
  readonly commits: Commits
  readonly watch: Watch
  readonly classes: CallClasses
  readonly kept: KeptConnections
  readonly start: Start
  readonly #routing: Routing
  readonly #host: TrafficHost
  readonly #delay = new ReplayDelay()
  readonly #catalog = new CatalogConnection()
  readonly #configs: ReadonlyMap<string, pg.PoolConfig>
  readonly #sight: FloorSight
  readonly #conditions: ReadConditions
  readonly #limit: TotalLimit
  readonly #refusals: Refusals
  readonly #follower: TopologyFollower
  readonly #captures: Captures
  readonly #parking: Parking
  readonly #primary: Primary
  readonly #reads: Reads
  readonly #writes: AutocommitWrites
  readonly #unseen: UnseenPositions
  #isEnded = false
  #isEnding = false
  #isLeaving = false

  constructor(configs: readonly NodeConfig[], routing: Routing, host: TrafficHost) {
    this.#routing = routing
    this.#host = host
    this.#configs = new Map(configs.map(({ address, config }) => [address, config]))
    this.#refusals = new Refusals(configs.length)
    this.commits = new Commits({
      sequence: { next: nextNumber },
      consistency: routing.consistency,
      tell: (event) => host.emit(commitEvent(event)),
    })
    // Rule R10: what is there when the pool starts is seen by its reads, those of sessions too.
    this.commits.start()
    this.scopes = new Scopes(this.commits)
    this.watch = new Watch({
      addresses: configs.map(({ address }) => address),
      connect: (address, signal) =>
        this.#refusals.opening(address, () => openWatchConnection(this.#configs.get(address) ?? {}, signal)),
      primaryFreshMs: routing.primaryFreshMs,
      keepsAlive: false,
    })
    const topology = () => this.watch.topology
    const nodeOf = (address: string) => this.nodes.get(address)
    const report = (address: string, error: unknown) => this.#report(address, error)
    this.#sight = new FloorSight(topology)
    this.#conditions = new ReadConditions(routing, {
      nodeOf,
      sight: this.#sight,
      delay: this.#delay,
      sentTo: (address) => this.counters.byNode.get(address) ?? 0,
    })
    this.#limit = new TotalLimit(routing.maxTotal, () => this.nodes.values())
    for (const { address, config } of configs) this.nodes.set(address, this.#connectionsTo(address, config))
    this.classes = new CallClasses({
      askPrimary: async (texts) => await this.#askPrimary(texts),
      failed: (error) => host.emit({ kind: 'catalog-failed', error }),
    })
    this.#follower = new TopologyFollower({
      commits: this.commits,
      delay: this.#delay,
      judge: (position) => this.#sight.judge(position),
      connectionsOf: (address) => nodeOf(address)?.connections ?? [],
      primaryChanged: () => {
        this.classes.namesChanged()
        this.#captures.wake()
      },
    })
    const whenChanged = (timeoutMs: number, told: () => void) => this.#follower.whenChanged(timeoutMs, told)
    this.#primary = new Primary(
      { topology, nodeOf, whenChanged, report, refusal: () => this.refusal() },
      routing.waitMs,
    )
    this.#captures = new Captures({
      commits: this.commits,
      connectionBefore: (openedBefore) =>
        captureConnection(this.watch, nodeOf, (connection) => this.#primary.isPrimary(connection), openedBefore),
      onReading: ({ insert }) => this.#delay.captured(insert, nowMs()),
    })
    this.#parking = new Parking({
      askPosition: (address) => this.watch.progress(address),
      satisfies: (address, floor) => {
        const node = topology().nodes.get(address)
        return node === undefined ? 'no' : this.#sight.satisfies(node, floor)
      },
      writtenAtMs: (floor) => (floor.kind === 'at' ? this.#delay.writtenAtMs(floor.positions) : 0),
    })
    const writes = new Writes({
      commits: this.commits,
      captures: this.#captures,
      setsSynchronousCommit: () => this.classes.setsSynchronousCommit,
      lost: (connection) =>
        whenBackendEnded(
          this.watch,
          connection,
          () => this.#backendEnded(connection),
          () => this.#isEnded,
        ),
    })
    const pipelines = !configs.some(({ config }) => hasQueryTimeout(config))
    this.#writes = new AutocommitWrites({
      primary: this.#primary,
      writes,
      captures: this.#captures,
      pipelines,
      following: (connection) => followingConnection(this.watch, connection),
      counters: this.counters,
      report,
      changedNames: () => this.#namesChanged(),
      whenPrimaryMayHaveChanged: (told) => whenChanged(routing.primaryFreshMs, told),
    })
    const sendWrite: AutocommitWrites['send'] = (...sent) => this.#writes.send(...sent)
    const reading = {
      captures: this.#captures,
      parking: this.#parking,
      primary: this.#primary,
      counters: this.counters,
      parkMs: routing.parkMs,
      holds: (connection: ServerConnection, floor: Floor) => this.#sight.holds(connection, floor),
      observe: async (connection: ServerConnection, floor: Floor) =>
        (await observeReplay(connection)) && this.#sight.holds(connection, floor) === 'yes',
    }
    const search = new ReadSearch({
      ...reading,
      primaryReads: new PrimaryReads({
        primary: this.#primary,
        max: configs[0]?.config.max ?? 10,
        reserve: routing.reserve,
        deadlineMs: routing.waitMs,
        judge: (floor) => this.#sight.primaryVerdict(floor),
        whenChanged,
      }),
      deadlineMs: routing.waitMs,
      nodeOf,
      isEjected: (address) => topology().nodes.get(address)?.ejected !== undefined,
      route: ({ statement, floor, scope, excluded }, budgetMs) =>
        route(statement, once, topology(), floor, this.#conditions.of(scope, excluded, budgetMs)),
      whenChanged,
      report,
    })
    this.#reads = new Reads({
      search,
      prepares: routing.lanes === 'prepared',
      lanes: routing.lanes !== false && pipelines,
      seesReceiver: (address) => topology().nodes.get(address)?.receiverSeen ?? false,
      proves: (connection, floor) => this.#proves(connection, floor),
      counters: this.counters,
      report,
      refusedAsWrite: (call) => this.classes.refusedAsWrite(call),
      sendWrite,
    })
    this.kept = new KeptConnections({
      ...reading,
      search,
      writes,
      commits: this.commits,
      classes: this.classes,
      waitMs: routing.waitMs,
      sendWrite,
      changedNames: () => this.#namesChanged(),
      leftOpen: (address) => host.emit({ kind: 'transaction-left-open', address }),
    })
    this.#unseen = new UnseenPositions({
      isAhead: (position) => this.#sight.isAhead(position),
      askPrimary: async () => {
        const { primary } = topology()
        if (primary !== undefined) await this.watch.progress(primary.address)
      },
    })
    this.start = new Start({
      timeoutMs: routing.waitMs,
      begin: () => this.#begin(),
      ended: () => {
        if (topology().primary === undefined) this.commits.startWithout()
      },
    })
  }

  /** One statement of `pool.query`, or a read of a client. */
  run(call: QueryCall, statement: Statement, scope: PoolScope, told: QueryCallback): void {
    if (!isRead(statement)) return this.#writes.run(call, statement, scope, told)
    const { consistency } = call.options
    const floor = this.commits.floorFor(consistency === undefined ? noOptions : { consistency }, scope.scope)
    // What a token of an abandoned history leaves in doubt is settled by a position that nobody else may ask for.
    if (floor.kind === 'uncertain') this.#captures.wake()
    if (floor.kind === 'uncertain' && floor.lost && this.#routing.whenWritesLost === 'refuse') {
      return told(writesLost(), undefined)
    }
    this.#unseen.look(floor, (unseen) => {
      const known = unseen.length === 0 ? floor : this.#forget(unseen, scope)
      this.#reads.run(call, statement, scope, known, told)
    })
  }

  /** Where there is one server, there is nothing to decide. */
  runOnly(call: QueryCall, told: QueryCallback): void {
    this.onlyNode().acquire((error, connection) => {
      if (connection === undefined) return told(error, undefined)
      this.counters.count(connection.node.address, call.isSubmittable ? 'submittable' : 'single-server')
      sendCall(connection, call, (failure, result) => {
        connection.giveBack(failure)
        told(failure, result)
      })
    })
  }

  onlyNode(): NodeConnections {
    const [node] = this.nodes.values()
    if (node === undefined) throw new MaestraError('bad-usage', 'the pool has no server')
    return node
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

  /** Where a statement would go now, without running it. */
  explain(call: QueryCall, scope: PoolScope): { readonly statement: Statement; readonly route: Route } {
    const statement = this.classes.classify(call)
    const { consistency } = call.options
    const floor = this.commits.floorIfIssued(consistency === undefined ? noOptions : { consistency }, scope.scope)
    const conditions = this.#conditions.of(scope, new Set(), this.#routing.parkMs)
    return { statement, route: route(statement, once, this.watch.topology, floor, conditions) }
  }

  /** The error with which every server refuses this application, when waiting does not help. */
  refusal(): Error | undefined {
    return this.#refusals.ofAll()
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

  /** Nothing new comes any more: reads do not wait for a primary that hangs, since nothing else may end them. */
  ending(): void {
    this.#isEnding = true
    this.#leaveHung()
  }

  /** When nothing is under way any more. */
  async end(): Promise<void> {
    this.classes.stop()
    this.#catalog.stop()
    this.#captures.stop()
    await Promise.all([...this.nodes.values()].map((node) => node.end()))
    this.#follower.stop()
    this.watch.stop()
    this.#isEnded = true
  }

  #leaveHung(): void {
    // Whoever is given up tells the watch of it, and what that has seen leads here again.
    if (!this.#isEnding || this.#isLeaving) return
    this.#isLeaving = true
    abandonHungReads(this.watch.topology, (address) => this.nodes.get(address))
    this.#isLeaving = false
  }

  #begin(): void {
    this.watch.onEvent((event) => {
      abandonAfter(event, this.watch.topology, (address) => this.nodes.get(address))
      this.#host.emit(event)
    })
    this.watch.onChange((topology) => {
      this.#follower.follow(topology)
      this.start.saw(topology)
      this.#leaveHung()
    })
    this.watch.start()
  }

  #connectionsTo(address: string, config: pg.PoolConfig): NodeConnections {
    const node: NodeConnections = new NodeConnections(address, config, {
      opened: (client) => this.#host.connected(client),
      identified: (connection, identity) => {
        const { primary } = this.#follower
        const view = this.watch.topology.nodes.get(address)
        if (view !== undefined && leadsElsewhere(connection, view)) this.watch.renew(address)
        const isPrimary = this.watch.topology.primary?.address === address && primary?.startedAt === identity.startedAt
        if (isPrimary) this.commits.connectionOpened(connection.number, primary)
      },
      profileFailed: (_connection, error) =>
        this.#host.emit({ kind: 'session-profile-failed', address, error: messageOf(error) }),
      closed: (connection) => {
        this.commits.connectionLost(connection.number)
        this.#sight.lost(connection)
        this.#limit.changed()
      },
      within: (open) => this.#limit.within(node, open),
      released: () => this.#limit.changed(),
    })
    this.#host.forward(node.pool)
    return node
  }

  /** Of a connection that was asked for its position right before it answered. */
  #proves(connection: ServerConnection, floor: Floor): boolean {
    const { node, observed } = connection
    const isEnough = this.#sight.hasSeen(connection, floor)
    if (observed !== undefined && this.#parking.looked(node.address, observed.at, isEnough)) {
      this.#sight.seen(connection)
      this.#delay.observed(node.address, observed.replayed, nowMs())
    }
    return isEnough
  }

  async #askPrimary(texts: readonly string[]): Promise<readonly TextRow[]> {
    const { primary } = this.watch.topology
    const config = primary && this.#configs.get(primary.address)
    if (config === undefined) throw new MaestraError('primary-unknown', 'no primary answers')
    return await this.#catalog.ask(config, texts)
  }

  #report(address: string, error: unknown): void {
    const code = codeOf(error)
    if (code !== undefined) this.classes.sawError(code)
    if (error === undefined) this.watch.probe([address])
    else if (code !== undefined) this.watch.report({ address, code })
    // node-postgres has no codes for connections that broke; what an application's own code threw says nothing of a server.
    else if (isServerGone(error)) this.watch.report({ address, code: 'ECONNRESET' })
  }

  /** A statement of ours has made, changed or dropped something. */
  #namesChanged(): void {
    this.classes.namesChanged()
    this.#reads.namesChanged()
  }

  #backendEnded({ number }: ServerConnection): void {
    this.commits.backendGone(number)
    this.#captures.wake()
  }
}

/** Rule T7, for those who do not want to read on. */
function writesLost(): MaestraError {
  return new MaestraError('writes-lost', 'a promotion has lost writes that this read would have to see', {
    hint: "see the event writes-lost of the pool; whenWritesLost: 'primary' reads what there is",
  })
}

function commitEvent(event: CommitEvent): RoutingEvent {
  const count = event.writes.length
  if (event.kind === 'writes-uncertain') return { kind: event.kind, reason: event.reason, count }
  return { kind: event.kind, position: formatLsn(event.position.lsn), timeline: event.position.timeline, count }
}

const noOptions = {}
