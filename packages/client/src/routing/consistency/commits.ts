import { maxLsn } from '../../postgres/lsn.js'
import type { Capture, CaptureNeed, CaptureReading, Settlement } from './capture.js'
import type { CommitEvent, UncertainReason } from './commit-event.js'
import type { Doubt } from './doubt.js'
import type { Floor, PendingFloor } from './floor.js'
import { type Incarnation, sameIncarnation } from './incarnation.js'
import type { Judge } from './judge.js'
import type { Consistency } from './level.js'
import { type Position, replayablePosition, withPosition } from './position.js'
import type { ProvisionalGroup } from './provisional-group.js'
import { Scope } from './scope.js'
import type { Sequence } from './sequence.js'
import { Witnesses } from './witnesses.js'
import type { Write } from './write.js'

const noFloor: Floor = { kind: 'none' }
const nothingSettled: Settlement = { settled: [], confirmed: [], stale: false }
/** Groups that wait for the flush position, at most: further ones are joined to the youngest. */
const mostGroups = 64

/** What of a statement its floor depends on. Relations will come to stand here. */
export type FloorStatement = { readonly consistency?: Consistency | undefined }

export type ScopeOptions = {
  /** `session` unless said. */
  readonly consistency?: Consistency | undefined
  /** What a token from outside stands for. */
  readonly positions?: readonly Position[]
}

/** What was written through one pool, and what is known of where it stands in the log. @public */
export class Commits {
  /** The scope of all that goes through the pool. */
  readonly pool: Scope
  readonly #sequence: Sequence
  readonly #tell: (event: CommitEvent) => void
  readonly #witnesses = new Witnesses()
  readonly #doubts = new Set<Doubt>()
  #pending: Write[] = []
  #groups: ProvisionalGroup[] = []
  readonly #start: Scope
  #asking: Scope[] = []
  /** Those among them that wait for the position that the pool starts with. */
  #starting: Scope[] = []
  #inFlight: Capture | undefined
  #primary: Incarnation | undefined
  #judge: Judge = () => 'unknown'
  #judged = 0

  constructor(options: {
    readonly sequence: Sequence
    readonly tell: (event: CommitEvent) => void
    readonly consistency?: Consistency | undefined
  }) {
    this.#sequence = options.sequence
    this.#tell = options.tell
    this.pool = new Scope(options.consistency ?? 'session', [], 0)
    this.#start = new Scope('session', [], 0)
  }

  /** The scope of a session. It needs what the primary had when the pool started (R10), and what its token says. */
  openScope(options: ScopeOptions = {}): Scope {
    const positions = (options.positions ?? []).reduce(withPosition, this.#start.confirmed)
    const scope = new Scope(options.consistency ?? this.pool.consistency, positions, this.#start.judged)
    if (!this.#start.complete) this.#startWith(scope)
    return scope
  }

  /** The pool starts with the primary's position as its floor (R10): a capture is needed, and reads wait for it. */
  start(): void {
    this.#startWith(this.#start)
    this.#startWith(this.pool)
  }

  /** No primary answered: the pool starts without a floor (R10, T4). */
  startWithout(): void {
    const number = this.#sequence.next()
    for (const scope of this.#starting) scope.answer(number)
    this.#asking = this.#asking.filter((scope) => scope.asks)
    this.#starting = []
  }

  /** What a read that is issued now has to see. The one door: floors per relation will come through it. */
  floorFor(statement: FloorStatement, scope: Scope): Floor {
    const level = statement.consistency ?? scope.consistency
    if (level === 'eventual') return noFloor
    if (scope.judged !== this.#judged) this.#judgeScope(scope)
    return level === 'strong' ? this.#strongFloor(scope) : scope.floor
  }

  /** The floor of a read that was told to wait: for what it waits for, not for what was written since. */
  floorAgain({ scope, since }: PendingFloor): Floor {
    if (scope.judged !== this.#judged) this.#judgeScope(scope)
    return scope.floorUpTo(since)
  }

  /** The scope needs what the primary has at this moment: when a pool starts, when a NOTIFY was received (R10). */
  raise(scope: Scope): void {
    scope.ask(this.#sequence.next())
    this.#asking.push(scope)
  }

  connectionOpened(connection: number, incarnation: Incarnation): void {
    this.#witnesses.opened(connection, incarnation)
  }

  connectionLost(connection: number): void {
    this.#witnesses.lost(connection)
    if (this.#inFlight?.connection === connection) this.#inFlight = undefined
    this.#doubtUnwitnessed()
  }

  /** Whether something would become uncertain if this connection were closed: keep it until that is settled. */
  isLastWitness(connection: number): boolean {
    const oldest = this.#witnesses.oldestWithout(connection)
    return this.#pending.some(({ sent }) => sent <= oldest) || this.#groups.some(({ captured }) => captured <= oldest)
  }

  /** A primary is known, for the first time, again, or another one; also whenever more is known of histories. */
  primaryKnown(incarnation: Incarnation, judge: Judge): void {
    this.#judge = judge
    this.#judged = this.#sequence.next()
    if (!sameIncarnation(incarnation, this.#primary)) this.#changePrimary(incarnation)
    this.#judgeScope(this.pool)
  }

  /** A statement that may commit is about to be sent: that one, not the BEGIN of its transaction. */
  writeSent(connection: number, scopes: readonly Scope[]): Write {
    const sent = this.#sequence.next()
    const incarnation = this.#witnesses.incarnationOf(connection)
    return { scopes, incarnation, connection, sent, acknowledged: 0, surelySynchronous: false, state: 'sent' }
  }

  /** The ReadyForQuery behind it has come. */
  writeAcknowledged(write: Write, surelySynchronous: boolean): void {
    write.acknowledged = this.#sequence.next()
    write.surelySynchronous = surelySynchronous
    write.state = 'pending'
    for (const scope of write.scopes) scope.await(write)
    if (sameIncarnation(write.incarnation, this.#primary)) {
      this.#pending.push(write)
      this.#doubtUnwitnessed()
    } else this.#doubt([write], [], 'primary-changed')
  }

  /** It certainly left nothing: rolled back, or an error that W1 names. */
  nothingWritten(write: Write): void {
    write.state = 'nothing'
  }

  /** Its answer will not come (W6). */
  outcomeUnknown(write: Write): void {
    const sameServer = sameIncarnation(write.incarnation, this.#primary)
    this.#doubt([write], [], 'outcome-unknown', sameServer ? write.connection : undefined)
  }

  /** The backend of that connection was seen to be gone: what it had not committed by now it never will. */
  backendGone(connection: number): void {
    for (const doubt of this.#doubts) {
      if (doubt.connection === connection && doubt.after === Number.POSITIVE_INFINITY)
        doubt.after = this.#sequence.next()
    }
  }

  captureNeeded(): CaptureNeed | undefined {
    if (this.#primary === undefined || this.#inFlight !== undefined) return undefined
    if (this.#pending.length === 0 && this.#asking.length === 0 && !this.#doubtsCanEnd()) return undefined
    let openedBefore = Number.POSITIVE_INFINITY
    for (const { sent } of this.#pending) openedBefore = Math.min(openedBefore, sent)
    return { openedBefore }
  }

  /** The flush position that provisional positions wait for, and which connections may tell it. */
  flushAwaited(): (CaptureNeed & { readonly position: Position }) | undefined {
    const oldest = this.#groups[0]
    return oldest && { openedBefore: oldest.captured, position: oldest.position }
  }

  /** The query for the log's positions is about to be sent, on a connection to the known primary. */
  captureSent(connection: number, behind: readonly Write[] = []): Capture | undefined {
    const incarnation = this.#witnesses.incarnationOf(connection)
    if (incarnation === undefined || !sameIncarnation(incarnation, this.#primary)) return undefined
    const capture = { sent: this.#sequence.next(), connection, incarnation, behind }
    if (behind.length === 0) this.#inFlight ??= capture
    return capture
  }

  captured(capture: Capture, reading: CaptureReading): Settlement {
    this.captureFailed(capture)
    const { systemIdentifier, timeline } = capture.incarnation
    if (!sameIncarnation(capture.incarnation, this.#primary) || reading.timeline !== timeline) {
      return { ...nothingSettled, stale: true }
    }
    const before = this.#confirmFlushed(capture.connection, reading.flush)
    const writes = this.#takeCovered(capture)
    const doubts = [...this.#doubts].filter(({ after }) => after < capture.sent)
    const certain = doubts.length === 0 && writes.every(({ surelySynchronous }) => surelySynchronous)
    const at = (lsn: Position['lsn']): Position => ({
      systemIdentifier,
      timeline,
      lsn: replayablePosition(lsn, reading),
    })
    const insert = at(reading.insert)
    const position = certain ? at(reading.flush) : insert
    const asking = this.#takeAsking(capture)
    for (const doubt of doubts) this.#endDoubt(doubt)
    const scopes = scopesOf(writes)
    const others = new Set([...asking, ...doubts.flatMap((doubt) => [...doubt.scopes])])
    if (certain) {
      this.#place(position, capture, scopes, writes, true)
      this.#place(insert, capture, others, [], insert.lsn <= reading.flush)
    } else {
      this.#place(insert, capture, new Set([...scopes, ...others]), writes, insert.lsn <= reading.flush)
    }
    this.#doubtUnwitnessed()
    const confirmed = writes.filter(({ state }) => state === 'confirmed')
    return { settled: writes, confirmed: [...before, ...confirmed], stale: false }
  }

  /** No answer came, or an error; also when it was given up. */
  captureFailed(capture: Capture): void {
    if (this.#inFlight === capture) this.#inFlight = undefined
  }

  /** A flush position was read on a connection to the primary. */
  flushSeen(connection: number, flush: Position['lsn']): Settlement {
    if (!this.#witnesses.has(connection)) return { ...nothingSettled, stale: true }
    return { ...nothingSettled, confirmed: this.#confirmFlushed(connection, flush) }
  }

  /** What a token of this scope may hold, and whether that is all that the scope has to say. */
  tokenOf(scope: Scope): { readonly position: Position | undefined; readonly complete: boolean } {
    if (scope.judged !== this.#judged) this.#judgeScope(scope)
    const [first, ...others] = scope.confirmed
    const position = others.reduce((best, each) => (best && each.timeline > best.timeline ? each : best), first)
    return { position, complete: scope.complete && others.length === 0 }
  }

  #startWith(scope: Scope): void {
    this.#starting.push(scope)
    this.raise(scope)
  }

  #strongFloor(scope: Scope): Floor {
    if (scope.floor.kind === 'uncertain') return scope.floor
    const asked = new Scope('strong', scope.confirmed, this.#judged)
    this.raise(asked)
    return asked.floor
  }

  #changePrimary(incarnation: Incarnation): void {
    this.#primary = incarnation
    this.#witnesses.of(incarnation)
    this.#inFlight = undefined
    for (const doubt of this.#doubts) {
      if (doubt.after === Number.POSITIVE_INFINITY) doubt.after = this.#judged
    }
    const [pending, groups] = [this.#pending, this.#groups]
    this.#pending = []
    this.#groups = []
    this.#doubt(pending, groups, 'primary-changed')
  }

  /** W3 and W5: what no unbroken connection vouches for any more is uncertain. */
  #doubtUnwitnessed(): void {
    const { oldest } = this.#witnesses
    const pending = this.#pending.filter(({ sent }) => sent <= oldest)
    const groups = this.#groups.filter(({ captured }) => captured <= oldest)
    if (pending.length === 0 && groups.length === 0) return
    this.#pending = this.#pending.filter(({ sent }) => sent > oldest)
    this.#groups = this.#groups.filter(({ captured }) => captured > oldest)
    this.#doubt(pending, groups, 'connections-lost')
  }

  #doubt(
    pending: readonly Write[],
    groups: readonly ProvisionalGroup[],
    reason: UncertainReason,
    connection?: number,
  ): void {
    const writes = [...pending, ...groups.flatMap((group) => group.writes)]
    const scopes = scopesOf(pending)
    for (const group of groups) {
      for (const scope of group.scopes) {
        scope.letGo(group)
        scopes.add(scope)
      }
    }
    if (scopes.size === 0) return
    for (const write of pending) {
      for (const scope of write.scopes) scope.noLongerAwait(write)
    }
    for (const write of writes) write.state = 'uncertain'
    const after = connection === undefined ? this.#sequence.next() : Number.POSITIVE_INFINITY
    this.#addDoubt({ scopes, writes, after, connection, lost: false })
    this.#tell({ kind: 'writes-uncertain', reason, writes, scopes })
  }

  #addDoubt(doubt: Doubt): void {
    this.#doubts.add(doubt)
    for (const scope of doubt.scopes) scope.doubt(doubt)
  }

  #endDoubt(doubt: Doubt): void {
    this.#doubts.delete(doubt)
    for (const scope of doubt.scopes) scope.noLongerDoubt(doubt)
  }

  #doubtsCanEnd(): boolean {
    for (const { after } of this.#doubts) if (after < Number.POSITIVE_INFINITY) return true
    return false
  }

  /** T7: what the primary's history does not contain, or not for sure, is no floor; a position read there replaces it. */
  #judgeScope(scope: Scope): void {
    scope.judged = this.#judged
    const primary = this.#primary
    if (primary === undefined || scope.confirmed.length === 0) return
    const kept: Position[] = []
    for (const position of scope.confirmed) {
      const verdict = this.#judge(position)
      const older = position.systemIdentifier === primary.systemIdentifier && position.timeline < primary.timeline
      if (verdict === 'contained' || (verdict === 'unknown' && !older)) kept.push(position)
      else this.#doubtPosition(scope, position, verdict === 'abandoned')
    }
    if (kept.length < scope.confirmed.length) scope.replaceConfirmed(kept)
  }

  #doubtPosition(scope: Scope, position: Position, lost: boolean): void {
    const scopes = new Set([scope])
    this.#addDoubt({ scopes, writes: [], after: this.#judged, connection: undefined, lost })
    if (lost) this.#tell({ kind: 'writes-lost', position, writes: [], scopes })
    else this.#tell({ kind: 'writes-uncertain', reason: 'history-unknown', writes: [], scopes })
  }

  #takeCovered(capture: Capture): Write[] {
    const covered = (write: Write): boolean =>
      capture.connection < write.sent && (write.acknowledged < capture.sent || capture.behind.includes(write))
    const taken = this.#pending.filter(covered)
    if (taken.length === 0) return taken
    this.#pending = this.#pending.filter((write) => !covered(write))
    for (const write of taken) for (const scope of write.scopes) scope.noLongerAwait(write)
    return taken
  }

  #takeAsking(capture: Capture): Scope[] {
    const answered = this.#asking
    for (const scope of answered) scope.answer(capture.sent)
    this.#asking = answered.filter((scope) => scope.asks)
    this.#starting = this.#starting.filter((scope) => scope.asks)
    return answered
  }

  #place(
    position: Position,
    { sent }: Capture,
    scopes: Set<Scope>,
    writes: readonly Write[],
    confirmed: boolean,
  ): void {
    for (const write of writes) write.state = confirmed ? 'confirmed' : 'provisional'
    if (scopes.size === 0) return
    if (confirmed) {
      for (const scope of scopes) this.#confirm(scope, position)
      return
    }
    const youngest = this.#groups.at(-1)
    if (youngest === undefined || this.#groups.length < mostGroups) {
      const group = { position, captured: sent, scopes, writes: [...writes] }
      this.#groups.push(group)
      for (const scope of scopes) scope.hold(group)
      return
    }
    youngest.position = { ...position, lsn: maxLsn(position.lsn, youngest.position.lsn) }
    youngest.writes.push(...writes)
    for (const scope of scopes) youngest.scopes.add(scope)
    for (const scope of youngest.scopes) scope.hold(youngest)
  }

  #confirmFlushed(connection: number, flush: Position['lsn']): Write[] {
    const confirmed: Write[] = []
    this.#groups = this.#groups.filter((group) => {
      if (group.position.lsn > flush || connection >= group.captured) return true
      for (const scope of group.scopes) {
        scope.letGo(group)
        this.#confirm(scope, group.position)
      }
      for (const write of group.writes) write.state = 'confirmed'
      confirmed.push(...group.writes)
      return false
    })
    return confirmed
  }

  /**
   * A position of the primary that is known. It implies what the scope has of earlier timelines: judged to be in this history,
   * it lies before the switch point, and the switch point lies before every position of this timeline.
   */
  #confirm(scope: Scope, position: Position): void {
    if (scope.judged !== this.#judged) this.#judgeScope(scope)
    const implied = (each: Position): boolean =>
      each.systemIdentifier === position.systemIdentifier &&
      each.timeline < position.timeline &&
      each.lsn <= position.lsn
    if (scope.confirmed.some(implied)) scope.replaceConfirmed(scope.confirmed.filter((each) => !implied(each)))
    scope.confirm(position)
  }
}

function scopesOf(writes: readonly Write[]): Set<Scope> {
  return new Set(writes.flatMap((write) => write.scopes))
}
