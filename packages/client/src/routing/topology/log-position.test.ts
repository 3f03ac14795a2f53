import { expect, it } from 'vitest'
import { parseLsn } from '../../postgres/lsn.js'
import { timelineOf } from '../../postgres/timeline.js'
import { type LineageId, LogPosition, laterOf, SeenPosition } from './log-position.js'

function position(lsn: string, timeline = 1, lineage?: number): LogPosition {
  const place = { systemIdentifier: '7001', timeline: timelineOf(timeline) }
  return new LogPosition(lineage === undefined ? place : { ...place, lineage: lineage as LineageId }, parseLsn(lsn))
}

it('has no order: numbers of different histories are never compared (T2)', () => {
  const [seen, floor] = [new SeenPosition(parseLsn('0/5000')), position('0/4000')]
  // @ts-expect-error What a replica shows and what a read needs are of different types.
  expect(() => seen < floor).toThrow('0/5000 has no order')
  expect(() => position('0/1') < position('0/2')).toThrow('no order')
  expect(() => Number(floor)).toThrow('no order')
})

it('prints with its history', () => {
  expect(`${position('16/b374d848', 3)}`).toBe('16/B374D848 of timeline 3')
  expect(`${new SeenPosition(parseLsn('0/5000'))}`).toBe('0/5000')
})

it('gives the later of two of one history', () => {
  const [sooner, later] = [position('0/FF', 1, 1), position('1/0', 1, 1)]
  expect(laterOf(sooner, later)).toBe(later)
  expect(laterOf(later, sooner)).toBe(later)
})

it.each([
  ['timelines', position('0/1', 1), position('0/1', 2)],
  ['promotions', position('0/1', 2, 1), position('0/1', 2, 2)],
  ['knowledge', position('0/1', 2), position('0/1', 2, 2)],
])('gives no later one of two of different %s', (_what, one, other) => {
  expect(laterOf(one, other)).toBeUndefined()
})
