import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lsnOf } from '../../postgres/lsn.js'
import { ReplayDelay } from './replay-delay.js'

const at = (n: number) => lsnOf(BigInt(n))

/** A primary that is read each ms, and a replica that has each position `delayMs` later and is looked at each `lookMs`. */
function played(delayMs: number, lookMs: number, untilMs: number): ReplayDelay {
  const delay = new ReplayDelay()
  for (let nowMs = 0; nowMs <= untilMs; nowMs += 1) {
    delay.captured(at(1000 + nowMs), nowMs)
    if (nowMs % lookMs === 0) delay.observed('db2', at(Math.max(1000, 1000 + nowMs - delayMs)), nowMs)
  }
  return delay
}

describe('the delay of a replica', () => {
  it('is nothing as long as nobody has looked: it is tried', () => {
    const delay = new ReplayDelay()
    delay.captured(at(1), 0)
    expect(delay.expectedWaitMs('db2', at(1), 0)).toBe(0)
    expect(delay.delayMs('db2', 0)).toBe(0)
  })

  it.each([1, 2, 100])('is found to be 50 ms, whether it is looked at each %s ms', (lookMs) => {
    const delay = played(50, lookMs, 1000)
    expect(delay.expectedWaitMs('db2', at(2000), 1000)).toBeGreaterThan(40)
    expect(delay.expectedWaitMs('db2', at(2000), 1000)).toBeLessThanOrEqual(52)
    expect(delay.delayMs('db2', 1000)).toBeGreaterThan(40)
    expect(delay.delayMs('db2', 1000)).toBeLessThanOrEqual(52)
  })

  it('is less for a position that is older', () => {
    const delay = played(50, 1, 1000)
    expect(delay.expectedWaitMs('db2', at(1970), 1000)).toBeLessThanOrEqual(22)
    expect(delay.expectedWaitMs('db2', at(1900), 1000)).toBe(0)
  })

  it('is forgotten little by little without news, so that a replica that was slow is tried again', () => {
    const delay = played(50, 1, 1000)
    delay.captured(at(9000), 5000)
    expect(delay.expectedWaitMs('db2', at(9000), 5000)).toBeLessThan(5)
  })

  it('is over at once when a replica that stood still has caught up', () => {
    const delay = new ReplayDelay()
    delay.captured(at(1), 0)
    delay.observed('db2', at(0), 500)
    expect(delay.expectedWaitMs('db2', at(1), 500)).toBe(500)
    delay.captured(at(2), 600)
    expect(delay.expectedWaitMs('db2', at(2), 600)).toBeGreaterThan(300)
    delay.observed('db2', at(2), 603)
    delay.captured(at(3), 604)
    expect(delay.expectedWaitMs('db2', at(3), 604)).toBeLessThan(5)
  })

  it('is never less than the age of what the replica lacks, nor negative, however looks and positions come', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ stepMs: fc.nat(30), lag: fc.nat(20) }), { minLength: 1, maxLength: 40 }),
        (steps) => {
          const delay = new ReplayDelay()
          const capturedAt: number[] = []
          let nowMs = 0
          for (const { stepMs, lag } of steps) {
            nowMs += stepMs
            capturedAt.push(nowMs)
            const newest = capturedAt.length
            delay.captured(at(newest), nowMs)
            const has = Math.max(0, newest - lag)
            delay.observed('db2', at(has), nowMs)
            const wait = delay.expectedWaitMs('db2', at(newest), nowMs)
            const oldestMissing = capturedAt[has]
            expect(wait).toBeGreaterThanOrEqual(oldestMissing === undefined ? 0 : nowMs - oldestMissing)
          }
        },
      ),
    )
  })

  it('knows nothing of another history', () => {
    const delay = played(50, 1, 100)
    delay.forget()
    delay.captured(at(1), 101)
    expect(delay.expectedWaitMs('db2', at(1), 101)).toBe(0)
  })
})
