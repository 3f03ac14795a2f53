import type { Capture } from './capture.js'
import { Commits } from './commits.js'
import type { Floor } from './floor.js'
import type { Consistency } from './level.js'
import type { Position } from './position.js'
import type { Scope } from './scope.js'
import { newSequence } from './sequence.fixture.js'
import { SimulatedServer } from './simulated-cluster.fixture.js'
import type { Write } from './write.js'

/** A statement that was sent, and is not yet executed or not yet answered. */
type Message =
  | { readonly kind: 'write'; readonly write: Write; readonly commit: number; readonly synchronous: boolean }
  | { readonly kind: 'capture'; readonly capture: Capture; reading?: ReturnType<SimulatedServer['reading']> }

type Connection = {
  readonly number: number
  readonly server: SimulatedServer
  readonly crashes: number
  /** Sent, not executed. */
  readonly outgoing: Message[]
  /** Executed; the answer lies in a buffer. */
  readonly incoming: Message[]
  /** The client has noticed that it broke. */
  lost: boolean
  /** The backend has ended. */
  ended: boolean
}

/** What one write really came to, as nobody but the test knows. */
type Ledger = { readonly commit: number; readonly scopes: readonly Scope[]; told: boolean }

/** What a read has to see from the moment on at which it was issued. */
type Read = {
  floor: Floor
  readonly acknowledged: readonly Ledger[]
  readonly unknown: readonly Unanswered[]
  /** Of a strong read: all that was there. */
  readonly seen: readonly number[]
}

type Unanswered = Ledger & { readonly connection: Connection }

/** One step: its kind, and numbers that choose among what there is. */
export type Step = { readonly kind: StepKind; readonly a: number; readonly b: number }
export type StepKind = keyof typeof steps

/** The client side with its `Commits`, the servers, and the dumb twin that knows what was acknowledged and what is left. */
export class Simulation {
  readonly commits: Commits
  readonly #sequence = newSequence()
  readonly #servers = [new SimulatedServer(1, [], new Map())]
  readonly #connections: Connection[] = []
  readonly #acknowledged: Ledger[] = []
  readonly #unknown: Unanswered[] = []
  readonly #scopes: Scope[]
  #reads: Read[] = []
  #commits = 0
  #learned: SimulatedServer | undefined
  /** How often each kind of floor was answered: a run that never answers `at` proves nothing. */
  readonly answers = { none: 0, at: 0, pending: 0, uncertain: 0 }

  constructor() {
    this.commits = new Commits({
      sequence: this.#sequence,
      tell: ({ scopes, writes }) => {
        const toldScopes = new Set([...scopes, ...writes.flatMap((write) => write.scopes)])
        for (const each of this.#acknowledged) {
          if (each.scopes.some((scope) => toldScopes.has(scope))) each.told = true
        }
      },
    })
    this.#scopes = [this.commits.pool, this.commits.openScope(), this.commits.openScope()]
  }

  step({ kind, a, b }: Step): void {
    steps[kind](this, a, b)
    for (const read of this.#reads) this.#check(read)
    for (const scope of this.#scopes) this.#checkToken(scope)
  }

  get primary(): SimulatedServer {
    return this.#servers.at(-1) as SimulatedServer
  }

  open(): void {
    const server = this.primary
    if (!server.alive) return
    const number = this.#sequence.next()
    this.#connections.push({
      number,
      server,
      crashes: server.crashes,
      outgoing: [],
      incoming: [],
      lost: false,
      ended: false,
    })
    this.commits.connectionOpened(number, server.incarnation)
  }

  write(which: number, choice: number): void {
    const connection = pick(this.#usable(), which)
    if (connection === undefined) return
    const scopes = [this.commits.pool, ...this.#scopes.slice(1, 1 + (choice % 3))]
    this.#commits += 1
    const write = this.commits.writeSent(connection.number, scopes)
    const synchronous = choice % 2 === 0
    connection.outgoing.push({ kind: 'write', write, commit: this.#commits, synchronous })
    if (choice % 5 === 0) this.#sendCapture(connection, [write])
  }

  capture(which: number): void {
    const need = this.commits.captureNeeded()
    const usable = this.#usable()
    const witnesses = usable.filter(({ number }) => need === undefined || number < need.openedBefore)
    const connection = pick(which % 4 === 0 || witnesses.length === 0 ? usable : witnesses, which)
    if (need !== undefined && connection !== undefined) this.#sendCapture(connection, [])
  }

  /** A backend executes the next statement that it was sent, whether or not its client is still there. */
  serve(which: number): void {
    const connection = pick(
      this.#connections.filter(({ outgoing, ended }) => outgoing.length > 0 && !ended),
      which,
    )
    const message = connection?.outgoing.shift()
    if (connection === undefined || message === undefined) return
    const { server, incoming } = connection
    if (message.kind === 'write') {
      server.append(which % 7, message.commit)
      if (message.synchronous) server.flush()
    } else message.reading = server.reading()
    incoming.push(message)
  }

  receive(which: number): void {
    const connection = pick(
      this.#connections.filter(({ incoming, lost }) => incoming.length > 0 && !lost),
      which,
    )
    const message = connection?.incoming.shift()
    if (message?.kind === 'write') {
      this.commits.writeAcknowledged(message.write, message.synchronous)
      this.#acknowledged.push({
        commit: message.commit,
        scopes: message.write.scopes,
        told: message.write.state === 'uncertain',
      })
    } else if (message?.reading !== undefined) {
      this.commits.captured(message.capture, message.reading)
      this.#askAgain()
    }
  }

  lookAtFlush(which: number): void {
    const connection = pick(
      this.#usable().filter(({ ended }) => !ended),
      which,
    )
    if (connection !== undefined) this.commits.flushSeen(connection.number, connection.server.reading().flush)
  }

  crash(kept: number, choice: number): void {
    const server = this.primary
    server.crash(kept, choice % 3 === 0)
    for (const connection of this.#connections) {
      if (connection.server === server) connection.ended = true
    }
  }

  promote(behind: number, choice: number): void {
    const old = this.primary
    this.#servers.push(old.promoted(behind % 4))
    if (choice % 2 === 0) return
    old.alive = false
    for (const connection of this.#connections) {
      if (connection.server === old) connection.ended = true
    }
  }

  /** The client notices that a connection is gone; or its network is, and the backend does not know. */
  lose(which: number, choice: number): void {
    const connection = pick(
      this.#usable().filter(({ ended }) => ended || choice % 3 === 0),
      which,
    )
    if (connection === undefined) return
    connection.lost = true
    this.commits.connectionLost(connection.number)
    for (const message of [...connection.incoming, ...connection.outgoing]) {
      if (message.kind === 'capture') this.commits.captureFailed(message.capture)
      else {
        this.commits.outcomeUnknown(message.write)
        this.#unknown.push({ commit: message.commit, scopes: message.write.scopes, told: true, connection })
      }
    }
  }

  /** A backend without a client ends, or is seen to have ended. */
  end(which: number): void {
    const connection = pick(
      this.#connections.filter(({ lost }) => lost),
      which,
    )
    if (connection !== undefined) this.#end(connection)
  }

  learn(choice: number): void {
    const server = this.primary
    this.#learned = server
    this.commits.primaryKnown(server.incarnation, (position) => {
      if (position.timeline !== server.timeline && choice % 3 === 0) return 'unknown'
      return server.containsAt(Number.POSITIVE_INFINITY, [position]) ? 'contained' : 'abandoned'
    })
  }

  read(which: number, choice: number): void {
    const scope = pick(this.#scopes, which) as Scope
    const consistency: Consistency = choice % 4 === 0 ? 'strong' : 'session'
    const floor = this.commits.floorFor({ consistency }, scope)
    const ofScope = ({ scopes }: Ledger): boolean => scopes.includes(scope)
    const [acknowledged, unknown] = [this.#acknowledged.filter(ofScope), this.#unknown.filter(ofScope)]
    const everybodys = this.#learned === this.primary && consistency === 'strong'
    const seen = everybodys ? this.primary.records.flatMap(({ commit }) => commit ?? []) : []
    const read = { floor, acknowledged, unknown, seen }
    this.#reads = [...this.#reads.slice(-3), read]
    this.answers[floor.kind] += 1
  }

  /** All that can be noticed is noticed, and every answer comes: nothing may be left without a position. */
  comeToRest(): void {
    while (this.#usable().some(({ ended }) => ended)) this.lose(0, 1)
    for (const server of this.#servers) server.flush()
    for (const connection of this.#connections.filter(({ lost }) => lost)) this.#end(connection)
    this.learn(1)
    this.open()
    for (let round = 0; round < 200; round += 1) {
      this.serve(round)
      this.receive(round)
      this.lookAtFlush(round)
      for (const scope of this.#scopes) this.commits.floorFor({}, scope)
      const need = this.commits.captureNeeded()
      if (need === undefined && this.#isQuiet()) break
      const witness = this.#usable().find(
        ({ number, server }) => number < (need?.openedBefore ?? 0) && server === this.primary,
      )
      if (witness !== undefined) this.#sendCapture(witness, [])
      for (const server of this.#servers) server.flush()
    }
    for (const scope of this.#scopes) {
      const floor = this.commits.floorFor({}, scope)
      if (floor.kind === 'pending' || floor.kind === 'uncertain') throw new Error(`at rest a floor is ${floor.kind}`)
      if (floor.kind !== 'at') continue
      if (floor.provisional) throw new Error('at rest a floor is provisional')
      if (!this.primary.containsAt(this.primary.end, floor.positions))
        throw new Error(`no server reaches ${show(floor.positions)}`)
      if (floor.positions.length > 1) throw new Error(`a floor has ${floor.positions.length} positions`)
    }
  }

  #end(connection: Connection): void {
    connection.ended = true
    this.commits.backendGone(connection.number)
  }

  #isQuiet(): boolean {
    const quiet = ({ outgoing, incoming, ended, lost }: Connection): boolean =>
      ended || lost || outgoing.length + incoming.length === 0
    return this.commits.flushAwaited() === undefined && this.#connections.every(quiet)
  }

  #sendCapture(connection: Connection, behind: readonly Write[]): void {
    const capture = this.commits.captureSent(connection.number, behind)
    if (capture !== undefined) connection.outgoing.push({ kind: 'capture', capture })
  }

  #usable(): Connection[] {
    return this.#connections.filter(({ lost }) => !lost)
  }

  #askAgain(): void {
    for (const read of this.#reads) {
      if (read.floor.kind !== 'pending') continue
      read.floor = this.commits.floorAgain(read.floor)
      this.answers[read.floor.kind] += 1
    }
  }

  /** Whether the client knows all that it can: what is lost without its knowledge nobody can tell it. */
  #noticed(): boolean {
    return this.#learned === this.primary && this.#usable().every(({ ended }) => !ended)
  }

  #check({ floor, acknowledged, unknown, seen }: Read): void {
    if (floor.kind !== 'at' && floor.kind !== 'none') return
    const positions = floor.kind === 'at' ? floor.positions : []
    this.#checkAcknowledged(acknowledged, positions)
    this.#checkUnanswered(unknown, positions)
    for (const commit of seen) if (this.primary.has(commit)) this.#checkSeen(commit, positions)
  }

  #checkAcknowledged(acknowledged: readonly Ledger[], positions: readonly Position[]): void {
    const noticed = this.#noticed()
    for (const { commit, told } of acknowledged) {
      if (this.primary.has(commit)) this.#checkSeen(commit, positions)
      else if (noticed && !told) throw new Error(`commit ${commit} is lost, and nobody was told`)
    }
  }

  #checkUnanswered(unknown: readonly Unanswered[], positions: readonly Position[]): void {
    for (const { commit, connection } of unknown) {
      if (this.primary.has(commit)) this.#checkSeen(commit, positions)
      const mayCome = connection.outgoing.some((each) => each.kind === 'write' && each.commit === commit)
      if (mayCome && !connection.ended && connection.server === this.primary) {
        throw new Error(`commit ${commit} may still come, and nothing says so`)
      }
    }
  }

  /** On every standby of every history that contains the floor. */
  #checkSeen(commit: number, positions: readonly Position[]): void {
    for (const server of this.#servers) {
      const stop = server.stops().find((end) => server.containsAt(end, positions))
      if (stop !== undefined && !server.sees(stop, commit)) {
        throw new Error(
          `commit ${commit} is not seen at ${stop} of timeline ${server.timeline}, floor ${show(positions)}`,
        )
      }
    }
  }

  #checkToken(scope: Scope): void {
    const { position, complete } = this.commits.tokenOf(scope)
    const server = this.#servers.find(({ timeline }) => timeline === position?.timeline)
    if (position !== undefined && Number(position.lsn) > (server?.flushed ?? 0)) {
      throw new Error(`the token ${show([position])} is not flushed`)
    }
    if (!complete) return
    const ofScope = ({ scopes }: Ledger): boolean => scopes.includes(scope)
    const positions = position === undefined ? [] : [position]
    this.#checkAcknowledged(this.#acknowledged.filter(ofScope), positions)
    this.#checkUnanswered(this.#unknown.filter(ofScope), positions)
  }
}

const steps = {
  open: (simulation: Simulation) => simulation.open(),
  write: (simulation: Simulation, a: number, b: number) => simulation.write(a, b),
  capture: (simulation: Simulation, a: number) => simulation.capture(a),
  serve: (simulation: Simulation, a: number) => simulation.serve(a),
  receive: (simulation: Simulation, a: number) => simulation.receive(a),
  other: (simulation: Simulation, a: number) => simulation.primary.append(a % 20),
  flush: (simulation: Simulation) => simulation.primary.flush(),
  lookAtFlush: (simulation: Simulation, a: number) => simulation.lookAtFlush(a),
  crash: (simulation: Simulation, a: number, b: number) => simulation.crash(a, b),
  promote: (simulation: Simulation, a: number, b: number) => simulation.promote(a, b),
  lose: (simulation: Simulation, a: number, b: number) => simulation.lose(a, b),
  end: (simulation: Simulation, a: number) => simulation.end(a),
  learn: (simulation: Simulation, a: number) => simulation.learn(a),
  read: (simulation: Simulation, a: number, b: number) => simulation.read(a, b),
}

function pick<T>(all: readonly T[], which: number): T | undefined {
  return all[which % all.length]
}

function show(positions: readonly Position[]): string {
  return positions.map(({ timeline, lsn }) => `${timeline}:${lsn}`).join(' and ')
}
