import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { CaptureReading } from '../../routing/consistency/capture.js'
import type { Commits } from '../../routing/consistency/commits.js'
import type { PendingFloor } from '../../routing/consistency/floor.js'
import { Captures } from './captures.js'

// The clock of the pool is the machine's own, whatever stands in its place while a test runs.
vi.mock('../../base/clock.js', () => ({ nowMs: () => performance.now() }))

/** A primary that answers at once, and commits whose positions are asked for until a reading was sent behind them. */
function capturing() {
  let readings = 0
  let isNeeded = false
  const commits = {
    captureNeeded: () => (isNeeded ? { openedBefore: 1 } : undefined),
    flushAwaited: () => undefined,
    captureSent: () => {
      isNeeded = false
      return {}
    },
    captured: () => {},
    floorAgain: () => ({ kind: isNeeded ? 'pending' : 'none' }),
  } as unknown as Commits
  const captures = new Captures({
    commits,
    connectionBefore: () => ({
      number: 0,
      read: async () => {
        readings += 1
        return {} as CaptureReading
      },
      giveBack: () => {},
    }),
    onReading: () => {},
  })
  return {
    captures,
    readings: () => readings,
    commit: async () => {
      isNeeded = true
      captures.wake()
      await vi.advanceTimersByTimeAsync(0)
    },
    readWaits: async () => {
      captures.whenKnown({ kind: 'pending' } as unknown as PendingFloor, 1000, () => {})
      await vi.advanceTimersByTimeAsync(0)
    },
  }
}

describe('captures', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('are 5 ms apart while nobody reads what was written, and none is left out', async () => {
    const { commit, readings } = capturing()
    for (let ms = 0; ms < 100; ms++) {
      await commit()
      await vi.advanceTimersByTimeAsync(1)
    }
    // At 0, 5 and so on up to 100, which is behind the last commit.
    expect(readings()).toBe(21)
  })

  it('come at once for a read that waits', async () => {
    const { commit, readWaits, readings } = capturing()
    await commit()
    await commit()
    expect(readings()).toBe(1)
    await readWaits()
    expect(readings()).toBe(2)
  })

  it('give back a connection of a server that is not the primary any more', async () => {
    let given = 0
    const captures = new Captures({
      commits: { captureNeeded: () => ({ openedBefore: 1 }), captureSent: () => undefined } as unknown as Commits,
      connectionBefore: () => ({
        number: 0,
        read: () => Promise.reject(new Error('it is not to be asked')),
        giveBack: () => {
          given += 1
        },
      }),
      onReading: () => {},
    })
    captures.wake()
    await vi.advanceTimersByTimeAsync(10)
    captures.stop()
    expect(given).toBe(2)
  })

  it('follow each commit at once for 20 ms after a read has waited', async () => {
    const { commit, readWaits, readings } = capturing()
    await commit()
    await commit()
    await readWaits()
    expect(readings()).toBe(2)
    for (let ms = 1; ms < 20; ms++) {
      await vi.advanceTimersByTimeAsync(1)
      await commit()
      expect(readings()).toBe(2 + ms)
    }
    await vi.advanceTimersByTimeAsync(1)
    await commit()
    expect(readings()).toBe(21)
    await vi.advanceTimersByTimeAsync(5)
    expect(readings()).toBe(22)
  })
})
