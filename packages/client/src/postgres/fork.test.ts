import { describe, expect, it } from 'vitest'
import { forkOf } from './fork.js'
import { formatLsn, parseLsn } from './lsn.js'
import { parseTimelineHistory, timelineOf } from './timeline.js'

/** `1 0/3, 2 0/5`: timeline 1 up to 0/3, then 2 up to 0/5. */
function logOf(text: string) {
  const parts = text.split(', ')
  const [timeline = '', end = ''] = parts.at(-1)?.split(' ') ?? []
  const switches = parseTimelineHistory(parts.slice(0, -1).join('\n'))
  return { timeline: timelineOf(Number(timeline)), switches, end: parseLsn(end) }
}

describe('forkOf', () => {
  it.each([
    ['1 0/5', '1 0/7', '1 0/5', 'one is behind the other'],
    ['1 0/5', '1 0/3, 2 0/9', '1 0/3', 'one went on on a timeline that the other left before'],
    ['1 0/2', '1 0/3, 2 0/9', '1 0/2', 'one has not come to where the other left'],
    ['1 0/3, 2 0/5', '1 0/3, 2 0/9', '2 0/5', 'both took the same switch'],
    ['1 0/3, 2 0/5', '1 0/4, 2 0/9', '1 0/3', 'both were promoted, at different positions'],
    ['1 0/3, 2 0/5', '1 0/3, 3 0/9', '1 0/3', 'both were promoted, to different timelines'],
    ['1 0/3, 2 0/5', '1 0/4', '1 0/3', 'one was promoted, and the other went on'],
    ['2 0/5', '1 0/3, 2 0/6, 3 0/9', '2 0/5', 'the history of one is not known from the start'],
  ])('of %s and %s is %s: %s', (one, other, expected) => {
    const found = [forkOf(logOf(one), logOf(other)), forkOf(logOf(other), logOf(one))]
    const words = found.map((each) => each && `${each.timeline} ${formatLsn(each.lsn)}`)
    expect(words).toEqual([expected, expected])
  })

  it('is unknown without a timeline in common', () => {
    expect(forkOf(logOf('3 0/5'), logOf('1 0/3, 2 0/9'))).toBeUndefined()
  })
})
