import { nowMs } from '../../base/clock.js'
import type { Floor } from '../../routing/consistency/floor.js'
import type { Position } from '../../routing/consistency/position.js'
import { judge } from '../../routing/topology/histories.js'
import type { Incarnation } from '../../routing/topology/incarnation.js'
import { LogPosition, SeenPosition } from '../../routing/topology/log-position.js'
import { mostAdvanced, reaches, type Satisfaction, satisfies } from '../../routing/topology/satisfies.js'
import type { NodeView, Topology } from '../../routing/topology/topology.js'
import type { Observed, ServerConnection } from '../connections/server-connection.js'
import type { PrimaryVerdict } from './primary-reads.js'

type Remembered = {
  readonly topology: Topology
  readonly floor: Floor
  readonly satisfaction: Satisfaction
  readonly atMs: number
}

type Look = Incarnation & { readonly observed: Observed; readonly connection: number }

/** For so long an answer is given again while neither topology nor floor has changed: what changes without them is whether the primary is fresh. */
const rememberedMs = 10

/** What floors mean for the servers as they were last seen. */
export class FloorSight {
  readonly #topology: () => Topology
  readonly #remembered = new Map<string, Remembered>()
  readonly #looks = new Map<string, Look>()
  readonly #positions = new WeakMap<Position, LogPosition>()

  constructor(topology: () => Topology) {
    this.#topology = topology
  }

  /** Whether a node has what a read must see, by all that was seen of it. */
  satisfies(node: NodeView, floor: Floor): Satisfaction {
    const watched = this.#watched(node, floor)
    const look = watched === 'not-yet' ? this.#lookAt(node) : undefined
    return look === undefined ? watched : this.reaches(node, look.observed, floor)
  }

  /** The same, by what the watch has seen. */
  #watched(node: NodeView, floor: Floor): Satisfaction {
    if (node.role !== 'replica' || !node.answers || node.diverged) return 'no'
    if (floor.kind === 'none') return 'yes'
    const topology = this.#topology()
    const atMs = nowMs()
    const before = this.#remembered.get(node.address)
    if (before?.topology === topology && before.floor === floor && atMs - before.atMs < rememberedMs)
      return before.satisfaction
    const satisfaction = this.#ask(node, floor, (position) => satisfies(node, position, topology, atMs))
    this.#remembered.set(node.address, { topology, floor, satisfaction, atMs })
    return satisfaction
  }

  /** What a connection of the application's has seen of its server counts for that server, as what the watch sees does. */
  seen({ node, number, identity, observed }: ServerConnection): void {
    if (identity === undefined || observed === undefined) return
    const before = this.#looks.get(node.address)
    if (before !== undefined && before.observed.at >= observed.at) return
    const { systemIdentifier, startedAt } = identity
    this.#looks.set(node.address, { systemIdentifier, startedAt, observed, connection: number })
  }

  /** With a connection ends what it vouched for: its server may have crashed, and have gone back. */
  lost({ node, number }: ServerConnection): void {
    if (this.#looks.get(node.address)?.connection === number) this.#looks.delete(node.address)
  }

  /** The last such look to the run of the server that the watch sees. */
  #lookAt(node: NodeView): Look | undefined {
    const look = this.#looks.get(node.address)
    return look !== undefined && isOf(node, look) ? look : undefined
  }

  /** The same, of a position that was seen on a connection of that node. */
  reaches(node: NodeView, { replayed, timeline }: Observed, floor: Floor): Satisfaction {
    if (node.role !== 'replica') return 'no'
    if (floor.kind === 'none') return 'yes'
    const topology = this.#topology()
    const seen = new SeenPosition(replayed)
    return this.#ask(node, floor, (position) => reaches(node, seen, position, topology, nowMs(), timeline))
  }

  /**
   * Rule R3: whether what a connection itself has seen of its server suffices for what it answered behind that. What others saw may be later
   * than the answer, so for a floor that is more than positions it never does.
   */
  hasSeen({ node: { address }, identity, observed }: ServerConnection, floor: Floor): boolean {
    const node = this.#topology().nodes.get(address)
    if (node === undefined || identity === undefined || observed === undefined || !identity.inRecovery) return false
    if (floor.kind !== 'at' || !isOf(node, identity)) return false
    return this.reaches(node, observed, floor) === 'yes'
  }

  /**
   * Rule R2: what is known of a node counts on a connection that was open before it was seen, to the same run of the same
   * server; what the connection saw itself counts always. `no`: it leads to another server.
   */
  holds(connection: ServerConnection, floor: Floor): 'yes' | 'ask' | 'no' {
    const node = this.#topology().nodes.get(connection.node.address)
    const { identity, number, observed } = connection
    if (node === undefined || identity === undefined || !identity.inRecovery || connection.isBroken) return 'no'
    // Rule R4: another server may answer the next statement.
    if (connection.isPooled) return 'no'
    if (!isOf(node, identity)) return 'no'
    if (observed !== undefined && this.reaches(node, observed, floor) === 'yes') return 'yes'
    const look = this.#lookAt(node)
    const isInLook = look !== undefined && number < look.observed.at
    if (isInLook && this.reaches(node, look.observed, floor) === 'yes') return 'yes'
    const isWatched = node.replayed !== undefined && number < node.replayed.at
    return isWatched && this.#watched(node, floor) === 'yes' ? 'yes' : 'ask'
  }

  /** Whether the primary may answer a read (rule T5). What was lost is told by the floor itself. */
  primaryVerdict(floor: Floor): PrimaryVerdict {
    const { primary, histories } = this.#topology()
    if (primary === undefined) return 'ask-again'
    if (floor.kind !== 'at') return 'has-it'
    for (const position of floor.positions) {
      const verdict = judge(this.#logPosition(position), histories)
      // A newer history than any that was seen: what is known of the servers is old.
      if (verdict === 'unknown' && position.timeline > (primary.timeline ?? 0)) return 'ask-again'
    }
    return 'has-it'
  }

  /** Of a history that is known, and further than that was ever seen. */
  isAhead(position: Position): boolean {
    return judge(this.#logPosition(position), this.#topology().histories) === 'ahead'
  }

  judge(position: Position): 'contained' | 'abandoned' | 'unknown' {
    const verdict = judge(this.#logPosition(position), this.#topology().histories)
    if (verdict === 'contained') return 'contained'
    return verdict === 'lost' || verdict === 'other-system' ? 'abandoned' : 'unknown'
  }

  #ask(node: NodeView, floor: Floor, one: (position: LogPosition) => Satisfaction): Satisfaction {
    if (floor.kind === 'none') return 'yes'
    if (floor.kind === 'pending') return 'unknown'
    let worst: Satisfaction = floor.kind === 'uncertain' ? this.#satisfiesUncertain(node) : 'yes'
    for (const position of floor.positions) {
      const satisfaction = one(this.#logPosition(position))
      if (rank[satisfaction] > rank[worst]) worst = satisfaction
    }
    return worst
  }

  /** Rule T4: while no primary answers, the most advanced replica that has replayed all that it received is the best state that exists. */
  #satisfiesUncertain(node: NodeView): Satisfaction {
    const topology = this.#topology()
    if (topology.primaryState !== 'away') return 'no'
    const mine = node.replayed?.lsn.bareLsn()
    if (mine === undefined) return 'unknown'
    if (node.received !== undefined && mine < node.received.bareLsn()) return 'not-yet'
    const best = mostAdvanced(topology)
    if (best !== undefined && best !== node && (best.passedTimeline ?? 0) > (node.passedTimeline ?? 0)) return 'no'
    for (const other of topology.nodes.values()) {
      // One that has received more will have replayed more.
      if (other.role !== 'replica' || !other.answers || other.diverged || other.ejected !== undefined) continue
      if (other.passedTimeline !== node.passedTimeline) continue
      const further = other.received ?? other.replayed?.lsn
      if (further !== undefined && further.bareLsn() > mine) return 'no'
    }
    return 'yes'
  }

  #logPosition(position: Position): LogPosition {
    const known = this.#positions.get(position)
    if (known !== undefined) return known
    const made = new LogPosition(position, position.lsn)
    this.#positions.set(position, made)
    return made
  }
}

function isOf({ systemIdentifier, startedAt }: NodeView, run: Incarnation): boolean {
  return systemIdentifier === run.systemIdentifier && startedAt === run.startedAt
}

const rank: Readonly<Record<Satisfaction, number>> = { yes: 0, 'not-yet': 1, unknown: 2, no: 3 }
