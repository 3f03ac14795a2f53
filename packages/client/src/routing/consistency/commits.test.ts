import { describe, expect, it } from 'vitest'
import { lsnOf } from '../../postgres/lsn.js'
import { timelineOf } from '../../postgres/timeline.js'
import { nextNumber } from '../sequence.js'
import type { CommitEvent } from './commit-event.js'
import { Commits } from './commits.js'

const timeline = timelineOf(1)
const incarnation = { systemIdentifier: 7n, startedAt: 'noon', timeline }
const geometry = { pageBytes: 8192, segmentBytes: 16_777_216 }

describe('Commits', () => {
  it('covers a commit by an LSN that was asked for after its acknowledgement', () => {
    const sequence = { next: nextNumber }
    const events: CommitEvent[] = []
    const commits = new Commits({ sequence, tell: (event) => events.push(event) })
    const connection = sequence.next()
    commits.connectionOpened(connection, incarnation)
    commits.primaryKnown(incarnation, () => 'contained')
    expect(commits.floorFor({}, commits.pool)).toEqual({ kind: 'none' })

    const write = commits.writeSent(connection, [commits.pool])
    commits.writeAcknowledged(write, true)
    const waits = commits.floorFor({}, commits.pool)
    if (waits.kind !== 'pending') throw new Error(`the floor is ${waits.kind}`)

    const capture = commits.captureSent(connection)
    if (capture === undefined) throw new Error('no capture')
    const settlement = commits.captured(capture, { ...geometry, timeline, insert: lsnOf(900n), flush: lsnOf(800n) })
    expect(settlement.confirmed).toEqual([write])
    expect(commits.floorAgain(waits)).toEqual({
      kind: 'at',
      positions: [{ systemIdentifier: 7n, timeline, lsn: 800n }],
      provisional: false,
    })
    expect(events).toEqual([])
  })
})
