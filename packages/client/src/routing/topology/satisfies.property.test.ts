import fc from 'fast-check'
import { expect, it } from 'vitest'
import { judge } from './histories.js'
import type { LogPosition } from './log-position.js'
import { reduce, topologyOfAddresses } from './reduce.js'
import { positionOn, satisfies } from './satisfies.js'
import {
  type Branch,
  type LogRecord,
  lsnAt,
  names,
  SimulatedCluster,
  type SimulatedServer,
} from './simulated-cluster.fixture.js'
import type { Topology } from './topology.js'
import type { TopologyInput } from './topology-input.js'

type Step = readonly [kind: number, one: number, other: number, count: number]

type Floor = { readonly position: LogPosition; readonly records: readonly LogRecord[] }

/** What a server had when it was last seen. */
type Seen = {
  readonly records: readonly LogRecord[]
  readonly received: number | undefined
  /** What it follows, or writes: also before the first record of it has come. */
  readonly branch: Branch
}

/** A pool's watch over simulated servers, and what a read may count on, by comparing lists of records. */
class Trial {
  readonly cluster = new SimulatedCluster()
  topology: Topology = topologyOfAddresses(names)
  readonly floors: Floor[] = []
  readonly seen = new Map<string, Seen>()
  readonly #connections = new Map<string, { readonly number: number; readonly breaks: number }>()
  readonly #asMonitor: boolean
  /** Those whose server was seen. */
  readonly #branches = new Set<Branch>()
  #number = 0
  nowMs = 0
  /** Counted, so that a run that proves nothing is noticed. */
  proven = 0
  refused = 0

  constructor(asMonitor: boolean) {
    this.#asMonitor = asMonitor
  }

  step([kind, one, other, count]: Step): void {
    const { cluster } = this
    const steps: readonly (() => void)[] = [
      () => this.#write(),
      () => this.#write(),
      () => cluster.write(one, count),
      () => cluster.write(one, count),
      () => cluster.copy(one, count),
      () => cluster.copy(one, count),
      () => cluster.copy(one, 99),
      () => this.probe(cluster.at(one)),
      () => this.#probeAll(),
      () => this.#probeAll(),
      () => this.#pass(count * 150),
      () => cluster.checkpoint(one),
      () => this.#failover(one, other, count),
      () => this.#failover(one, other, count),
      () => cluster.promote(one),
      () => cluster.follow(one, other),
      () => cluster.kill(one),
      () => cluster.start(one, count % 2 === 0 ? other : undefined, count % 3),
      () => cluster.crash(one, count % 4),
      () => cluster.remake(one, other),
    ]
    steps[kind % steps.length]?.()
    this.#check()
  }

  probe(server: SimulatedServer): void {
    const { name: address } = server
    const open = this.#connections.get(address)
    if (open && open.breaks !== server.breaks) {
      this.#connections.delete(address)
      this.#hear({ kind: 'lost', address, connection: open.number, error: 'gone' })
    }
    if (!server.runs) {
      this.#hear({ kind: 'failed', address, hung: false, error: 'refused', random: 0.5 })
      return
    }
    const connection = this.#connections.get(address)?.number ?? this.#next()
    this.#connections.set(address, { number: connection, breaks: server.breaks })
    const sent = this.#next()
    const state = this.cluster.state(server, this.#asMonitor)
    const received = state.progress.inRecovery ? state.progress.receivedTimeline : undefined
    this.seen.set(address, { records: [...server.log], received, branch: server.branch })
    if (!server.inRecovery) this.#branches.add(server.branch)
    this.#hear({ kind: 'answered', address, connection, sent, received: this.#next(), processId: 1, state })
  }

  /** The pool writes to the primary that it knows, and learns the position behind its commit. */
  #write(): void {
    const { primary } = this.topology
    const server = this.cluster.servers.find(({ name }) => name === primary?.address)
    if (primary === undefined || server === undefined || !server.runs || server.inRecovery) return
    if (primary.startedAt !== this.cluster.state(server, false).startedAt) return
    this.cluster.write(this.cluster.servers.indexOf(server))
    const position = positionOn(primary, lsnAt(server.log.length))
    if (position !== undefined) this.floors.push({ position, records: [...server.log] })
    if (this.floors.length > 8) this.floors.shift()
  }

  /** A standby is promoted while the primary is dead, or only out of sight; some of the others follow the new one. */
  #failover(promoted: number, follower: number, count: number): void {
    const { cluster } = this
    const known = cluster.servers.findIndex(({ name }) => name === this.topology.primary?.address)
    if (known >= 0 && count % 3 > 0) cluster.kill(known)
    this.#pass(1200)
    cluster.promote(promoted)
    if (count % 2 > 0) cluster.follow(follower, promoted)
    this.#probeAll()
    this.#write()
    cluster.write(promoted, count)
    cluster.copy(follower, 99)
    this.#probeAll()
  }

  #pass(ms: number): void {
    this.nowMs += ms
    this.#hear({ kind: 'tick' })
  }

  #probeAll(): void {
    for (const server of this.cluster.servers) this.probe(server)
  }

  #hear(input: TopologyInput): void {
    this.topology = reduce(this.topology, input, this.nowMs).topology
  }

  #check(): void {
    for (const { position, records } of this.floors) {
      for (const node of this.topology.nodes.values()) {
        const answer = satisfies(node, position, this.topology, this.nowMs)
        if (answer !== 'yes') {
          this.refused += 1
          continue
        }
        const seen = this.seen.get(node.address)
        const has = seen !== undefined && records.every((record, at) => seen.records[at] === record)
        if (has) this.proven += 1
        else if (seen === undefined || !this.#isResidual(seen))
          this.#fail(`${node.address} does not have ${position.toString()}`)
      }
      this.#checkVerdict(position, records)
    }
  }

  /** The history that is current is that of the server which was last seen to write it. */
  #checkVerdict(position: LogPosition, records: readonly LogRecord[]): void {
    const { primary, histories } = this.topology
    const seen = primary === undefined ? undefined : this.seen.get(primary.address)
    if (seen === undefined) return
    const verdict = judge(position, histories)
    const has = records.every((record, at) => seen.records[at] === record)
    // A position that was read after the last look is further than what was seen of the history that it is on.
    const isLater = position.lineage === histories.current
    if (verdict === 'contained' && !has && !isLater && !this.#hasUnseen(seen))
      this.#fail(`${position.toString()} is lost, and counts as contained`)
    if (verdict === 'lost' && has && !this.#hasTwin(seen))
      this.#fail(`${position.toString()} is contained, and counts as lost`)
  }

  /**
   * What the contract leaves open (T2): in its log is that of a promotion of which this process has not seen the server, so that it is
   * taken for one of the same number.
   */
  #hasUnseen({ records }: Seen): boolean {
    return records.some(({ branch }) => branch.timeline > 1 && !this.#branches.has(branch))
  }

  /** It was made anew and promoted to the same number once more, all between two looks. Then the primary answers, which has it. */
  #hasTwin({ branch }: Seen): boolean {
    return [...this.#branches].some((other) => other !== branch && other.timeline === branch.timeline)
  }

  /**
   * What the contract leaves open (T4, T2): a promotion of which this process has not seen the server. With pg_monitor only
   * while the replica receives nothing, or the number of that promotion is one that it knows from another.
   */
  #isResidual({ records, received, branch }: Seen): boolean {
    const last = records.at(-1)?.branch ?? branch
    if (this.#branches.has(last) && this.#branches.has(branch)) return false
    const numbers = [...this.#branches].map(({ timeline }) => timeline)
    return received === undefined || numbers.includes(received)
  }

  #fail(words: string): never {
    throw new Error(words)
  }

  #next(): number {
    this.#number += 1
    return this.#number
  }
}

const anyStep: fc.Arbitrary<Step> = fc.tuple(fc.nat(19), fc.nat(3), fc.nat(3), fc.nat(8))

it.each([
  ['a plain role', false],
  ['pg_monitor', true],
])('never says that a replica has what it has not, as %s', (_role, asMonitor) => {
  let proven = 0
  fc.assert(
    fc.property(fc.array(anyStep, { minLength: 10, maxLength: 60 }), (steps) => {
      const trial = new Trial(asMonitor)
      for (const server of trial.cluster.servers) trial.probe(server)
      for (const step of steps) trial.step(step)
      proven += trial.proven
    }),
    { numRuns: 500 },
  )
  expect(proven).toBeGreaterThan(500)
})
