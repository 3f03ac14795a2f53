import { beforeEach, describe, expect, it } from 'vitest'
import { lsnOf } from '../../postgres/lsn.js'
import { timelineOf } from '../../postgres/timeline.js'
import type { Capture, CaptureReading } from './capture.js'
import type { CommitEvent } from './commit-event.js'
import { Commits } from './commits.js'
import type { Floor, PendingFloor } from './floor.js'
import type { Position } from './position.js'
import type { PrimaryIncarnation } from './primary-incarnation.js'
import type { Scope } from './scope.js'
import { newSequence } from './sequence.fixture.js'
import type { Sequence } from './sequence.js'
import type { Write } from './write.js'

const first: PrimaryIncarnation = { systemIdentifier: '7', startedAt: 'noon', timeline: timelineOf(1) }
const restarted: PrimaryIncarnation = { ...first, startedAt: 'one' }
const promoted: PrimaryIncarnation = { ...first, startedAt: 'two', timeline: timelineOf(2) }

let sequence: Sequence
let events: CommitEvent[]
let commits: Commits
let pool: Scope

beforeEach(() => {
  sequence = newSequence()
  events = []
  commits = new Commits({ sequence, tell: (event) => events.push(event) })
  pool = commits.pool
  commits.primaryKnown(first, () => 'contained')
})

function open(incarnation = first): number {
  const connection = sequence.next()
  commits.connectionOpened(connection, incarnation)
  return connection
}

function written(connection: number, synchronous = true, scopes: Scope[] = [pool]): Write {
  const write = commits.writeSent(connection, scopes)
  commits.writeAcknowledged(write, synchronous)
  return write
}

function sent(connection: number, behind: Write[] = []): Capture {
  const capture = commits.captureSent(connection, behind)
  if (capture === undefined) throw new Error('the capture was refused')
  return capture
}

function reading(insert: number, flush: number, timeline = 1): CaptureReading {
  return {
    insert: lsnOf(BigInt(insert)),
    flush: lsnOf(BigInt(flush)),
    timeline: timelineOf(timeline),
    pageBytes: 8192,
    segmentBytes: 16_777_216,
  }
}

function position(lsn: number, timeline = 1): Position {
  return { systemIdentifier: '7', timeline: timelineOf(timeline), lsn: lsnOf(BigInt(lsn)) }
}

function at(lsn: number, { timeline = 1, provisional = false } = {}): Floor {
  return { kind: 'at', positions: [position(lsn, timeline)], provisional }
}

function floor(scope = pool): Floor {
  return commits.floorFor({}, scope)
}

function pending(scope = pool): PendingFloor {
  const answer = floor(scope)
  if (answer.kind !== 'pending') throw new Error(`the floor is ${answer.kind}`)
  return answer
}

describe('W3: the LSN of a commit', () => {
  it('is waited for from the acknowledgement on, and is that of a capture sent after it', () => {
    const connection = open()
    expect(floor()).toEqual({ kind: 'none' })
    expect(commits.captureNeeded()).toBeUndefined()
    const early = sent(connection)
    const write = written(connection)
    const waits = pending()
    expect(commits.captured(early, reading(500, 500)).settled).toEqual([])
    expect(commits.floorAgain(waits).kind).toBe('pending')
    expect(commits.captured(sent(connection), reading(900, 800))).toEqual({
      settled: [write],
      confirmed: [write],
      stale: false,
    })
    expect(commits.floorAgain(waits)).toEqual(at(800))
    expect(events).toEqual([])
  })

  it('W2: is that of a capture behind its own Sync, in the same flight', () => {
    const connection = open()
    const write = commits.writeSent(connection, [pool])
    const capture = sent(connection, [write])
    commits.writeAcknowledged(write, true)
    expect(commits.captured(capture, reading(900, 900)).settled).toEqual([write])
    expect(floor()).toEqual(at(900))
  })

  it('W2: needs no other capture while one stands behind it, unless that one fails', () => {
    const connection = open()
    const write = commits.writeSent(connection, [pool])
    const capture = sent(connection, [write])
    commits.writeAcknowledged(write, true)
    expect(commits.captureNeeded()).toBeUndefined()
    const other = written(open())
    expect(commits.captureNeeded()?.openedBefore).toBe(other.sent)
    commits.captureFailed(capture)
    expect(commits.captureNeeded()?.openedBefore).toBe(write.sent)
  })

  it('comes from one capture at a time, which covers all that was acknowledged before it was sent, of every scope', () => {
    const [one, other] = [open(), open()]
    const session = commits.openScope()
    const writes = [written(one), written(other, true, [pool, session])]
    expect(commits.captureNeeded()?.openedBefore).toBe(writes[0]?.sent)
    const capture = sent(other)
    const late = written(one)
    expect(commits.captureNeeded()).toBeUndefined()
    expect(commits.captured(capture, reading(900, 900)).settled).toEqual(writes)
    expect(floor(session)).toEqual(at(900))
    expect(floor().kind).toBe('pending')
    expect(commits.captureNeeded()?.openedBefore).toBe(late.sent)
  })

  it('holds up no read that was issued before the commit was acknowledged', () => {
    const connection = open()
    written(connection)
    const waits = pending()
    const capture = sent(connection)
    written(connection)
    commits.captured(capture, reading(900, 900))
    expect(commits.floorAgain(waits)).toEqual(at(900))
    expect(floor().kind).toBe('pending')
  })

  it('is never read over a connection that was opened after the write was sent, even before it was acknowledged', () => {
    // The acknowledgement may lie in the socket's buffer while the server crashes, comes back without an asynchronous
    // commit, and lets the other connection in.
    const writer = open()
    const write = commits.writeSent(writer, [pool])
    const young = open()
    commits.writeAcknowledged(write, false)
    expect(commits.captured(sent(young), reading(900, 900)).settled).toEqual([])
    expect(floor().kind).toBe('pending')
    commits.connectionLost(writer)
    expect(floor().kind).toBe('uncertain')
    expect(events).toMatchObject([{ kind: 'writes-uncertain', reason: 'connections-lost', writes: [write] }])
  })

  it('is uncertain when the last connection that was open before breaks, until an LSN was read on the primary', () => {
    const [writer, witness] = [open(), open()]
    const write = written(writer)
    commits.connectionLost(writer)
    expect(floor().kind).toBe('pending')
    expect(commits.isLastWitness(witness)).toBe(true)
    commits.connectionLost(witness)
    expect(floor()).toEqual({ kind: 'uncertain', positions: [], lost: false })
    expect(events).toMatchObject([{ kind: 'writes-uncertain', reason: 'connections-lost', writes: [write] }])
    expect(commits.captured(sent(open()), reading(900, 900)).settled).toEqual([])
    expect(floor()).toEqual(at(900))
  })

  it('is uncertain at once when its connection had broken before the acknowledgement was looked at', () => {
    const writer = open()
    const write = commits.writeSent(writer, [pool])
    open()
    commits.connectionLost(writer)
    commits.writeAcknowledged(write, true)
    expect(floor().kind).toBe('uncertain')
    expect(events).toMatchObject([{ kind: 'writes-uncertain', reason: 'connections-lost', writes: [write] }])
  })

  it('is asked for again when the connection of the capture breaks, or the capture fails', () => {
    const [writer, other] = [open(), open()]
    written(writer)
    sent(other)
    commits.connectionLost(other)
    expect(commits.captureNeeded()).toBeDefined()
    commits.captureFailed(sent(writer))
    expect(commits.captureNeeded()).toBeDefined()
  })

  it('is not taken from a server that is not the known primary', () => {
    const connection = open()
    written(connection)
    const capture = sent(connection)
    expect(commits.captured(capture, reading(900, 900, 2))).toMatchObject({ stale: true, settled: [] })
    expect(commits.captureSent(open(promoted))).toBeUndefined()
    const late = sent(connection)
    commits.primaryKnown(promoted, () => 'contained')
    expect(commits.captured(late, reading(900, 900)).stale).toBe(true)
    expect(floor().kind).toBe('uncertain')
  })
})

describe('W4: the position', () => {
  it('is the insert position for the whole group when one commit of it is not surely synchronous', () => {
    const connection = open()
    written(connection)
    written(connection, false)
    commits.captured(sent(connection), reading(900, 800))
    expect(floor()).toEqual(at(900, { provisional: true }))
  })

  it('is lowered to the start of a page of which only the header is there', () => {
    const connection = open()
    written(connection, false)
    commits.captured(sent(connection), reading(8192 + 24, 8192))
    expect(floor()).toEqual(at(8192))
  })
})

describe('W5: a position that is not flushed', () => {
  it('is good to read by, and no token, until the flush position has reached it', () => {
    const connection = open()
    const write = written(connection, false)
    commits.captured(sent(connection), reading(900, 800))
    expect(commits.tokenOf(pool)).toEqual({ position: undefined, complete: false })
    expect(commits.flushAwaited()?.position).toEqual(position(900))
    expect(commits.flushSeen(connection, lsnOf(899n)).confirmed).toEqual([])
    expect(commits.flushSeen(connection, lsnOf(900n)).confirmed).toEqual([write])
    expect(floor()).toEqual(at(900))
    expect(commits.tokenOf(pool)).toEqual({ position: position(900), complete: true })
    expect(commits.flushAwaited()).toBeUndefined()
  })

  it('is not confirmed by a connection that was opened after it was read', () => {
    const connection = open()
    written(connection, false)
    commits.captured(sent(connection), reading(900, 800))
    const young = open()
    expect(commits.flushSeen(young, lsnOf(2000n)).confirmed).toEqual([])
    written(young)
    commits.captured(sent(young), reading(2000, 2000))
    expect(commits.flushAwaited()?.position).toEqual(position(900))
    expect(commits.tokenOf(pool).complete).toBe(false)
  })

  it('is uncertain when the connections break first', () => {
    const connection = open()
    const write = written(connection, false)
    commits.captured(sent(connection), reading(900, 800))
    open()
    commits.connectionLost(connection)
    expect(floor()).toEqual({ kind: 'uncertain', positions: [], lost: false })
    expect(events).toMatchObject([{ kind: 'writes-uncertain', reason: 'connections-lost', writes: [write] }])
  })

  it('is uncertain when the connection that read it had broken by then', () => {
    const connection = open()
    commits.raise(pool)
    const capture = sent(connection)
    open()
    commits.connectionLost(connection)
    commits.captured(capture, reading(900, 800))
    expect(floor().kind).toBe('uncertain')
  })

  it('stays one of a bounded number, however many wait', () => {
    const connection = open()
    const session = commits.openScope()
    for (let n = 1; n <= 1000; n += 1) {
      written(connection, false, n <= 10 ? [pool, session] : [pool])
      commits.captured(sent(connection), reading(1000 + n * 8, 800))
    }
    expect(floor()).toEqual(at(9000, { provisional: true }))
    expect(floor(session)).toEqual(at(1080, { provisional: true }))
    commits.flushSeen(connection, lsnOf(1080n))
    expect(floor(session)).toEqual(at(1080))
    expect(commits.flushSeen(connection, lsnOf(9000n)).confirmed).toHaveLength(990)
    expect(floor()).toEqual(at(9000))
  })
})

describe('W6: a write whose answer never came', () => {
  it('is uncertain until an LSN was read after its backend is gone', () => {
    const connection = open()
    const write = commits.writeSent(connection, [pool])
    commits.connectionLost(connection)
    commits.outcomeUnknown(write)
    expect(floor().kind).toBe('uncertain')
    expect(commits.captureNeeded()).toBeUndefined()
    const other = open()
    const early = sent(other)
    commits.backendGone(connection)
    commits.captured(early, reading(900, 900))
    expect(floor().kind).toBe('uncertain')
    expect(commits.captureNeeded()).toBeDefined()
    commits.captured(sent(other), reading(1000, 900))
    expect(floor()).toEqual(at(1000, { provisional: true }))
  })

  it('W1: counts for nothing when it certainly left nothing', () => {
    const connection = open()
    commits.nothingWritten(commits.writeSent(connection, [pool]))
    expect(floor()).toEqual({ kind: 'none' })
    expect(commits.captureNeeded()).toBeUndefined()
  })

  it('no longer waits for a backend of a server that another primary has replaced', () => {
    const connection = open()
    commits.outcomeUnknown(commits.writeSent(connection, [pool]))
    commits.primaryKnown(restarted, () => 'contained')
    commits.captured(sent(open(restarted)), reading(900, 900))
    expect(floor()).toEqual(at(900))
  })
})

describe('T2 T7: when another primary is known', () => {
  beforeEach(() => {
    const connection = open()
    written(connection)
    commits.captured(sent(connection), reading(900, 900))
  })

  it('a floor that its history contains stays, until a position of the new timeline implies it', () => {
    commits.primaryKnown(promoted, () => 'contained')
    expect(floor()).toEqual(at(900))
    const connection = open(promoted)
    written(connection)
    commits.captured(sent(connection), reading(1000, 1000, 2))
    expect(floor()).toEqual(at(1000, { timeline: 2 }))
    expect(events).toEqual([])
  })

  it('positions of two timelines are kept apart while only one is certain', () => {
    commits.primaryKnown(promoted, () => 'contained')
    const connection = open(promoted)
    written(connection, false)
    commits.captured(sent(connection), reading(1000, 950, 2))
    expect(floor()).toEqual({ kind: 'at', positions: [position(900), position(1000, 2)], provisional: true })
  })

  it('a floor of an abandoned history is told as lost, and the primary answers until its position was read', () => {
    const session = commits.openScope({ positions: [position(700)] })
    commits.primaryKnown(promoted, ({ lsn }) => (lsn <= 800n ? 'contained' : 'abandoned'))
    expect(events).toMatchObject([{ kind: 'writes-lost', position: position(900) }])
    expect(floor()).toEqual({ kind: 'uncertain', positions: [], lost: true })
    expect(floor(session)).toEqual(at(700))
    commits.captured(sent(open(promoted)), reading(850, 850, 2))
    expect(floor()).toEqual(at(850, { timeline: 2 }))
  })

  it('a floor of which nothing is known is uncertain when its timeline is older, and kept when it is newer (T5)', () => {
    commits.primaryKnown(promoted, () => 'unknown')
    expect(events).toMatchObject([{ kind: 'writes-uncertain', reason: 'history-unknown' }])
    expect(floor().kind).toBe('uncertain')
    expect(floor(commits.openScope({ positions: [position(100, 3)] }))).toMatchObject({
      kind: 'at',
      positions: [position(100, 3)],
    })
  })

  it('two histories of one number are told apart by whoever judges them', () => {
    const session = commits.openScope({ positions: [position(950, 2)] })
    commits.primaryKnown(promoted, ({ timeline }) => (timeline === 2 ? 'abandoned' : 'contained'))
    expect(floor(session)).toMatchObject({ kind: 'uncertain', lost: true })
  })

  it('what was acknowledged there and not yet read is uncertain, and what comes later from there, too', () => {
    const connection = open()
    const [before, after] = [written(connection), commits.writeSent(connection, [pool])]
    commits.primaryKnown(promoted, () => 'contained')
    commits.writeAcknowledged(after, true)
    expect(events).toMatchObject([
      { kind: 'writes-uncertain', reason: 'primary-changed', writes: [before] },
      { kind: 'writes-uncertain', reason: 'primary-changed', writes: [after] },
    ])
    expect(floor()).toEqual({ kind: 'uncertain', positions: [position(900)], lost: false })
    commits.captured(sent(open(promoted)), reading(1000, 1000, 2))
    expect(floor()).toEqual(at(1000, { timeline: 2 }))
  })
})

describe('R10: levels and starts', () => {
  it('a strong read needs the insert position that is read after it was issued, and nobody else does', () => {
    const connection = open()
    const answer = commits.floorFor({ consistency: 'strong' }, pool)
    expect(answer.kind).toBe('pending')
    expect(commits.captureNeeded()?.openedBefore).toBe(Number.POSITIVE_INFINITY)
    written(connection)
    commits.captured(sent(connection), reading(900, 800))
    expect(commits.floorAgain(answer as PendingFloor)).toEqual(at(900, { provisional: true }))
    expect(floor()).toEqual(at(800))
  })

  it('a strong read that is not issued would wait, and nobody is asked', () => {
    commits.captured(sent(open()), reading(900, 900))
    for (const scope of [pool, commits.openScope({ consistency: 'strong' })]) {
      expect(commits.floorIfIssued({ consistency: 'strong' }, scope).kind).toBe('pending')
      expect(commits.captureNeeded()).toBeUndefined()
    }
  })

  it('a strong read of an uncertain scope is uncertain', () => {
    const connection = open()
    commits.outcomeUnknown(commits.writeSent(connection, [pool]))
    expect(commits.floorFor({ consistency: 'strong' }, pool).kind).toBe('uncertain')
  })

  it('an eventual read needs nothing; the statement says more than its scope', () => {
    const eventual = commits.openScope({ consistency: 'eventual' })
    const connection = open()
    written(connection, true, [pool, eventual])
    expect(floor(eventual)).toEqual({ kind: 'none' })
    expect(commits.floorFor({ consistency: 'eventual' }, pool)).toEqual({ kind: 'none' })
    expect(commits.floorFor({ consistency: 'session' }, eventual).kind).toBe('pending')
  })

  it('a pool starts with the position of the primary, and so does every session', () => {
    commits.start()
    const early = commits.openScope()
    expect([floor().kind, floor(early).kind]).toEqual(['pending', 'pending'])
    commits.captured(sent(open()), reading(900, 900))
    expect([floor(), floor(early), floor(commits.openScope())]).toEqual([at(900), at(900), at(900)])
    expect(commits.openScope().wrote).toBe(false)
  })

  it('a pool starts without a floor when no primary answers', () => {
    commits.start()
    const early = commits.openScope()
    commits.startWithout()
    expect([floor(), floor(early), floor(commits.openScope())]).toEqual(Array(3).fill({ kind: 'none' }))
    expect(commits.captureNeeded()).toBeUndefined()
  })

  it('a NOTIFY raises the floor of the pool', () => {
    commits.raise(pool)
    const waits = pending()
    commits.captured(sent(open()), reading(900, 900))
    expect(commits.floorAgain(waits)).toEqual(at(900))
  })
})

it('gives the very same floor as long as nothing changes', () => {
  const connection = open()
  written(connection)
  expect(floor()).toBe(floor())
  commits.captured(sent(connection), reading(900, 900))
  expect(floor()).toBe(floor())
})
