import type { Capture, CaptureNeed, CaptureReading, Settlement } from './capture.js'
import type { CommitEvent, UncertainReason } from './commit-event.js'
import { Doubts } from './doubts.js'
import type { Floor, PendingFloor } from './floor.js'
import type { Judge } from './judge.js'
import type { Consistency } from './level.js'
import { type Position, replayablePosition, withPosition } from './position.js'
import { type PrimaryIncarnation, samePrimary } from './primary-incarnation.js'
import type { ProvisionalGroup } from './provisional-group.js'
import { ProvisionalGroups } from './provisional-groups.js'
import { Scope } from './scope.js'
import type { Sequence } from './sequence.js'
import { Witnesses } from './witnesses.js'
import type { Write } from './write.js'

const neverJudged = -1
const noFloor: Floor = { kind: 'none' }
const nothingSettled: Settlement = { settled: [], confirmed: [], stale: false }
/** What of a statement its floor depends on. Relations will come to stand here. */
export type FloorStatement = { readonly consistency?: Consistency | undefined }

export type ScopeOptions = {
  /** `session` unless said. */
  readonly consistency?: Consistency | undefined
  /** What a token from outside stands for. */
  readonly positions?: readonly Position[]
}

/**
 * What was written through one pool, and what is known of where it stands in the log.
 *
 * **What holds.** A read is issued in a scope and answered `none` or `at`, by `floorFor` or later by `floorAgain`. Then every
 * server whose history contains all of the positions and that has replayed up to them, and the known primary, shows each
 * commit of the scope that was acknowledged before the read was issued, but for those that are in the primary's log no more;
 * and of these somebody was told (`writes-uncertain`, `writes-lost`) as soon as this process could know.
 *
 * **Why.** An acknowledged write is in one state: pending, provisional, confirmed or uncertain. While one of a scope is
 * pending or uncertain the scope's floor says so, so it is enough to look at how a position comes to stand for a write.
 *
 * 1. *A capture covers it.* The capture was sent after the acknowledgement, or behind the write's own Sync; over a connection
 *    that was opened before the write was **sent**; to the incarnation that is the known primary. A crash ends every backend,
 *    and this one lived from before the commit until it answered: so the log only grew in between, and the insert position
 *    lies at or behind the end of the commit; so does the flush position when the commit waited for it (W4). (Opened before
 *    the acknowledgement *arrived* is not enough: that may lie in a buffer while the server crashes and comes back.)
 * 2. *It is confirmed.* A flush position at or behind it was read over a connection that was open when the position was read:
 *    no crash in between again, so the very bytes up to the position are on disk, and a crash keeps them. As soon as
 *    no such connection is left, the write is uncertain and the position stands for nothing.
 * 3. *A doubt ends.* The insert position was read on the known primary, by a capture that was sent when nothing of the doubtful
 *    write could come to its log any more: at once for one that was acknowledged there, when the backend is gone for one
 *    without an answer, when another primary is known for one of another server. From then on the write is in the log before
 *    that position, or in no log that counts.
 * 4. *The primary changes.* What is confirmed is judged by its history: contained positions stand, abandoned ones and those
 *    of which nothing is known are doubts. Whatever is pending or provisional is a doubt. A position of the new timeline lies
 *    behind its switch point, and the contained ones before it: so it implies them, and they are dropped. That is what bounds
 *    the positions of a scope. They are dropped for nothing else: a server may come back with older data.
 *
 * commits.property.test.ts holds it against servers that crash and are promoted.
 * @public
 */
export class Commits {
  /** The scope of all that goes through the pool. */
  readonly pool: Scope
  readonly #sequence: Sequence
  readonly #tell: (event: CommitEvent) => void
  readonly #witnesses = new Witnesses()
  readonly #doubts = new Doubts()
  #pending: Write[] = []
  readonly #provisional = new ProvisionalGroups()
  readonly #start: Scope
  #asking: Scope[] = []
  /** Those among them that wait for the position that the pool starts with. */
  #starting: Scope[] = []
  #inFlight: Capture | undefined
  #primary: PrimaryIncarnation | undefined
  /** The number at which it became known. */
  #primarySince = 0
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
    const given = options.positions ?? []
    const positions = given.reduce(withPosition, this.#start.confirmed)
    // What comes from outside may be of a history that was abandoned before this process began (T7).
    const judged = given.length === 0 ? this.#start.judged : neverJudged
    const scope = new Scope(options.consistency ?? this.pool.consistency, positions, judged)
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
    return this.#floor(statement, scope, this.#asking)
  }

  /** What a read would have to see that is not issued: nobody is asked for the position that a strong one would ask for. */
  floorIfIssued(statement: FloorStatement, scope: Scope): Floor {
    return this.#floor(statement, scope, [])
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

  /**
   * A connection to a server that is or may become the primary is open; its number was taken when it was. Said again, with the
   * same number, when the server behind it turns out to have been promoted.
   */
  connectionOpened(connection: number, incarnation: PrimaryIncarnation): void {
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
    return this.#pending.some(({ sent }) => sent <= oldest) || this.#provisional.isUnwitnessed(oldest)
  }

  /** A primary is known, for the first time, again, or another one; also whenever more is known of histories. */
  primaryKnown(incarnation: PrimaryIncarnation, judge: Judge): void {
    this.#judge = judge
    this.#judged = this.#sequence.next()
    if (!samePrimary(incarnation, this.#primary)) this.#changePrimary(incarnation)
    this.#judgeScope(this.pool)
  }

  /** A statement that may commit is about to be sent, on a connection that is known here: COMMIT, not the BEGIN before it. */
  writeSent(connection: number, scopes: readonly Scope[]): Write {
    const sent = this.#sequence.next()
    const incarnation = this.#witnesses.incarnationOf(connection)
    return {
      scopes,
      incarnation,
      connection,
      sent,
      acknowledged: 0,
      surelySynchronous: false,
      isFollowed: false,
      state: 'sent',
    }
  }

  /** The ReadyForQuery behind it has come. */
  writeAcknowledged(write: Write, surelySynchronous: boolean): void {
    write.acknowledged = this.#sequence.next()
    write.surelySynchronous = surelySynchronous
    write.state = 'pending'
    for (const scope of write.scopes) scope.await(write)
    if (samePrimary(write.incarnation, this.#primary)) {
      this.#pending.push(write)
      this.#doubtUnwitnessed()
    } else this.#doubt([write], [], 'primary-changed', this.#wasLeftBehind(write) ? 'primary-known' : 'primary-changes')
  }

  /** It certainly left nothing: rolled back, or an error that W1 names. */
  nothingWritten(write: Write): void {
    write.state = 'nothing'
  }

  /** Its answer will not come (W6). */
  outcomeUnknown(write: Write): void {
    this.#doubt([write], [], 'outcome-unknown', this.#wasLeftBehind(write) ? 'primary-known' : write)
  }

  /** The backend of that connection was seen to be gone: what it had not committed by now it never will. */
  backendGone(connection: number): void {
    this.#doubts.backendGone(connection, this.#sequence.next())
  }

  captureNeeded(): CaptureNeed | undefined {
    if (this.#primary === undefined || this.#inFlight !== undefined) return undefined
    let openedBefore = Number.POSITIVE_INFINITY
    for (const { sent, isFollowed } of this.#pending) if (!isFollowed) openedBefore = Math.min(openedBefore, sent)
    const isNeeded = openedBefore < Number.POSITIVE_INFINITY || this.#asking.length > 0 || this.#doubts.canEnd
    return isNeeded ? { openedBefore } : undefined
  }

  /** The flush position that provisional positions wait for, and which connections may tell it. */
  flushAwaited(): (CaptureNeed & { readonly position: Position }) | undefined {
    const { oldest } = this.#provisional
    return oldest && { openedBefore: oldest.captured, position: oldest.position }
  }

  /** The query for the log's positions is about to be sent, on a connection to the known primary. */
  captureSent(connection: number, behind: readonly Write[] = []): Capture | undefined {
    const incarnation = this.#witnesses.incarnationOf(connection)
    if (incarnation === undefined || !samePrimary(incarnation, this.#primary)) return undefined
    const capture = { sent: this.#sequence.next(), connection, incarnation, behind }
    if (behind.length === 0) this.#inFlight ??= capture
    for (const write of behind) write.isFollowed = true
    return capture
  }

  captured(capture: Capture, reading: CaptureReading): Settlement {
    this.captureFailed(capture)
    const { systemIdentifier, timeline } = capture.incarnation
    if (!samePrimary(capture.incarnation, this.#primary) || reading.timeline !== timeline) {
      return { ...nothingSettled, stale: true }
    }
    const before = this.#confirmFlushed(capture.connection, reading.flush)
    const writes = this.#takeCovered(capture)
    const doubts = this.#doubts.takeEnded(capture.sent)
    const certain = doubts.length === 0 && writes.every(({ surelySynchronous }) => surelySynchronous)
    const at = (lsn: Position['lsn']): Position => ({
      systemIdentifier,
      timeline,
      lsn: replayablePosition(lsn, reading),
    })
    const insert = at(reading.insert)
    const position = certain ? at(reading.flush) : insert
    const asking = this.#takeAsking(capture)
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
    for (const write of capture.behind) write.isFollowed = false
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

  #floor(statement: FloorStatement, scope: Scope, asking: Scope[]): Floor {
    const level = statement.consistency ?? scope.consistency
    if (level === 'eventual') return noFloor
    if (scope.judged !== this.#judged) this.#judgeScope(scope)
    if (level === 'session' || scope.floor.kind === 'uncertain') return scope.floor
    const asked = new Scope('strong', scope.confirmed, this.#judged)
    asked.ask(this.#sequence.next())
    asking.push(asked)
    return asked.floor
  }

  #changePrimary(incarnation: PrimaryIncarnation): void {
    this.#primary = incarnation
    this.#primarySince = this.#judged
    this.#witnesses.of(incarnation)
    this.#inFlight = undefined
    this.#doubts.primaryChanged(incarnation, this.#judged)
    const pending = this.#pending
    this.#pending = []
    this.#doubt(pending, this.#provisional.takeAll(), 'primary-changed')
  }

  /** Whether another primary has taken the place of its server: what commits there now is in no history that counts. */
  #wasLeftBehind({ incarnation, sent }: Write): boolean {
    const primary = this.#primary
    if (primary === undefined || samePrimary(incarnation, primary)) return false
    return sent < this.#primarySince || (incarnation !== undefined && incarnation.timeline < primary.timeline)
  }

  /** W3 and W5: what no unbroken connection vouches for any more is uncertain. */
  #doubtUnwitnessed(): void {
    const { oldest } = this.#witnesses
    const pending = this.#pending.filter(({ sent }) => sent <= oldest)
    if (pending.length > 0) this.#pending = this.#pending.filter(({ sent }) => sent > oldest)
    this.#doubt(pending, this.#provisional.takeUnwitnessed(oldest), 'connections-lost')
  }

  #doubt(
    pending: readonly Write[],
    groups: readonly ProvisionalGroup[],
    reason: UncertainReason,
    until: 'primary-known' | 'primary-changes' | Write = 'primary-known',
  ): void {
    const writes = [...pending, ...groups.flatMap((group) => group.writes)]
    const scopes = new Set([...scopesOf(pending), ...groups.flatMap((group) => [...group.scopes])])
    if (scopes.size === 0) return
    for (const write of pending) {
      for (const scope of write.scopes) scope.noLongerAwait(write)
    }
    for (const write of writes) write.state = 'uncertain'
    const unanswered = typeof until === 'object' ? until : undefined
    const after = until === 'primary-known' ? this.#sequence.next() : Number.POSITIVE_INFINITY
    this.#doubts.add({ scopes, writes, after, unanswered, lost: false })
    this.#tell({ kind: 'writes-uncertain', reason, writes, scopes })
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
    this.#doubts.add({ scopes, writes: [], after: this.#judged, unanswered: undefined, lost })
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
    if (confirmed) for (const scope of scopes) this.#confirm(scope, position)
    else this.#provisional.add(position, sent, scopes, writes)
  }

  #confirmFlushed(connection: number, flush: Position['lsn']): Write[] {
    const groups = this.#provisional.takeFlushed(connection, flush)
    for (const { position, scopes, writes } of groups) {
      for (const scope of scopes) this.#confirm(scope, position)
      for (const write of writes) write.state = 'confirmed'
    }
    return groups.flatMap(({ writes }) => writes)
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
