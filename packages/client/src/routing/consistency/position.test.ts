import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lsnOf, parseLsn } from '../../postgres/lsn.js'
import { timelineOf } from '../../postgres/timeline.js'
import { replayablePosition, withPosition } from './position.js'

const usual = { pageBytes: 8192, segmentBytes: 16_777_216 }

function position(timeline: number, lsn: number, systemIdentifier = '7') {
  return { systemIdentifier, timeline: timelineOf(timeline), lsn: lsnOf(BigInt(lsn)) }
}

describe('W4: replayablePosition', () => {
  it.each([
    ['0/3002018', '0/3002000'],
    ['0/3000028', '0/3000000'],
    // 24 on the first page of a segment lies inside of its longer header, and 40 on another page behind a record.
    ['0/3000018', '0/3000018'],
    ['0/3002028', '0/3002028'],
    ['0/3002000', '0/3002000'],
    ['0/30020F8', '0/30020F8'],
    ['FFFFFFFF/FFFFE018', 'FFFFFFFF/FFFFE000'],
  ])('%s is replayed at %s', (read, replayed) => {
    expect(replayablePosition(parseLsn(read), usual)).toBe(parseLsn(replayed))
  })

  it('goes by the sizes of the server', () => {
    const large = { pageBytes: 32_768, segmentBytes: 1_048_576 }
    expect(replayablePosition(parseLsn('0/3002018'), large)).toBe(parseLsn('0/3002018'))
    expect(replayablePosition(parseLsn('0/3100028'), large)).toBe(parseLsn('0/3100000'))
  })

  it('never raises, and never goes behind the start of the page', () => {
    const geometry = fc.record({
      pageBytes: fc.constantFrom(1024, 8192, 65_536),
      segmentBytes: fc.constantFrom(1_048_576, 16_777_216, 1_073_741_824),
    })
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }), geometry, (at, sizes) => {
        const lowered = replayablePosition(lsnOf(at), sizes)
        expect(lowered === at || (lowered % BigInt(sizes.pageBytes) === 0n && at - lowered <= 40n)).toBe(true)
      }),
    )
  })
})

describe('T2: withPosition', () => {
  it('keeps the furthest of each history, and histories apart', () => {
    const one = withPosition([], position(1, 900))
    expect(withPosition(one, position(1, 800))).toBe(one)
    expect(withPosition(one, position(1, 1000))).toEqual([position(1, 1000)])
    expect(withPosition(one, position(2, 100))).toEqual([position(1, 900), position(2, 100)])
    expect(withPosition(one, position(1, 1000, '8'))).toEqual([position(1, 900), position(1, 1000, '8')])
  })
})
