import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lsnOf, parseLsn } from './lsn.js'
import { historyContains, parseTimeline, parseTimelineHistory, timelineOf, timelineOfWalFileName } from './timeline.js'

describe('timelineOf and parseTimeline', () => {
  it('take whole numbers of 32 bits from 1', () => {
    expect(timelineOf(1)).toBe(1)
    expect(parseTimeline('4294967295')).toBe(4294967295)
  })

  it.each([0, -1, 1.5, 2 ** 32, Number.NaN])('refuse %d', (n) => {
    expect(() => timelineOf(n)).toThrow(`${n} is not a timeline`)
  })

  it.each(['', '0', '-1', '1.5', '0x1', ' 1', '1\n', '4294967296', '00000001F', '99999999999'])('refuse %j', (text) => {
    expect(() => parseTimeline(text)).toThrow(expect.objectContaining({ code: 'bad-value' }))
  })
})

describe('timelineOfWalFileName', () => {
  it.each([
    ['00000001000000000000000A', 1],
    ['0000001F0000000000000003.partial', 31],
    ['0000000A0000000000000003.00000028.backup', 10],
    ['FFFFFFFF.history', 4294967295],
  ])('reads %s', (name, timeline) => {
    expect(timelineOfWalFileName(name)).toBe(timeline)
  })

  it.each([
    '',
    'archive_status',
    '000000010000000000000003.done',
    '00000001',
    '00000001000000000000000a',
    '000000000000000000000001',
  ])('refuses %j', (name) => {
    expect(() => timelineOfWalFileName(name)).toThrow(expect.objectContaining({ code: 'bad-value' }))
  })
})

/** 00000003.history of a server of 18.4 that was promoted twice. */
const promotedTwice = '1\t0/4000170\tno recovery target specified\n\n2\t0/4019310\tno recovery target specified\n'

describe('parseTimelineHistory', () => {
  it('reads what PostgreSQL writes', () => {
    expect(parseTimelineHistory(promotedTwice)).toEqual([
      { parent: 1, switchpoint: 0x4000170n, reason: 'no recovery target specified' },
      { parent: 2, switchpoint: 0x4019310n, reason: 'no recovery target specified' },
    ])
  })

  it('passes over comments and empty lines, and takes a line without a reason', () => {
    expect(parseTimelineHistory('# archived\n\n  \n1 0/5\r\n4\t1/00000006\tbefore 2026-11-25 00:00:00+00')).toEqual([
      { parent: 1, switchpoint: 5n, reason: '' },
      { parent: 4, switchpoint: 0x1_0000_0006n, reason: 'before 2026-11-25 00:00:00+00' },
    ])
    expect(parseTimelineHistory('')).toEqual([])
  })

  it.each([
    ['1\n', 'line 1 of the timeline history is "1"'],
    ['1\t0/5\tx\ntwo\t0/6\tx\n', 'line 2 of the timeline history is "two\\t0/6\\tx"'],
    ['1\tG/5\tx\n', 'line 1 of the timeline history is "1\\tG/5\\tx"'],
    ['0\t0/5\tx\n', 'line 1 of the timeline history is "0\\t0/5\\tx"'],
    ['4294967296\t0/5\n', 'line 1 of the timeline history is "4294967296\\t0/5"'],
    ['2\t0/5\tx\n2\t0/6\tx\n', 'line 2 of the timeline history names timeline 2 after 2'],
  ])('refuses %j', (text, message) => {
    expect(() => parseTimelineHistory(text)).toThrow(expect.objectContaining({ code: 'damaged-file', message }))
  })
})

describe('historyContains', () => {
  const history = parseTimelineHistory(promotedTwice)
  const own = timelineOf(3)
  const holds = (timeline: number, lsn: string) => historyContains(history, own, timelineOf(timeline), parseLsn(lsn))

  it('holds all of its own timeline', () => {
    expect(holds(3, '0/0')).toBe(true)
    expect(holds(3, 'FF/0')).toBe(true)
  })

  it('holds a parent up to its switch point and not a byte further', () => {
    expect(holds(1, '0/4000170')).toBe(true)
    expect(holds(1, '0/4000171')).toBe(false)
    expect(holds(2, '0/4019310')).toBe(true)
    expect(holds(2, '0/4019311')).toBe(false)
  })

  it('holds nothing of a timeline that it never passed', () => {
    expect(holds(4, '0/1')).toBe(false)
    expect(historyContains([], timelineOf(1), timelineOf(2), lsnOf(0n))).toBe(false)
  })

  it('holds with a position every earlier one of the same timeline', () => {
    const lsn = fc.bigInt({ min: 0n, max: 0x5000000n }).map(lsnOf)
    fc.assert(
      fc.property(fc.constantFrom(1, 2, 3, 4), lsn, lsn, (tli, a, b) => {
        const [early, late] = a < b ? [a, b] : [b, a]
        const timeline = timelineOf(tli)
        return !historyContains(history, own, timeline, late) || historyContains(history, own, timeline, early)
      }),
    )
  })
})
