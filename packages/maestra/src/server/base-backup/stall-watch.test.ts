import type { MaestraError } from '@maestra/client/base/error'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { watchForStall } from './stall-watch.js'

describe('watchForStall', () => {
  let received = 0
  let pending = 0
  let stalls: MaestraError[] = []
  const flow = { receivedBytes: () => received, pendingBytes: () => pending }
  const watch = () => watchForStall(flow, 120_000, (error) => stalls.push(error))

  beforeEach(() => {
    vi.useFakeTimers()
    received = 0
    pending = 0
    stalls = []
  })

  afterEach(() => vi.useRealTimers())

  it('says once that nothing came any more, and how much had come', () => {
    watch()
    received = 4096
    vi.advanceTimersByTime(119_000)
    expect(stalls).toEqual([])
    vi.advanceTimersByTime(300_000)
    expect(stalls).toHaveLength(1)
    expect(stalls[0]).toMatchObject({ code: 'deadline-passed', message: expect.stringContaining('4096 bytes') })
  })

  it('lets a checkpoint take its time before the first byte', () => {
    watch()
    vi.advanceTimersByTime(3_600_000)
    expect(stalls).toEqual([])
  })

  it('does not hold a slow disk against the server', () => {
    watch()
    received = 1
    pending = 1
    vi.advanceTimersByTime(3_600_000)
    expect(stalls).toEqual([])
  })

  it('is content with a trickle, and ends when it is told to', () => {
    const end = watch()
    for (let minute = 0; minute < 60; minute += 1) {
      received += 1
      vi.advanceTimersByTime(60_000)
    }
    end()
    vi.advanceTimersByTime(3_600_000)
    expect(stalls).toEqual([])
  })
})
