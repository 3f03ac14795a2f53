import { describe, expect, it, vi } from 'vitest'
import { Deadline, waitUntil } from '../base/deadline.js'
import type { Floor } from '../routing/consistency/floor.js'
import { Parking, type ParkOutcome } from './parking.js'

const floor: Floor = { kind: 'none' }

/** A node whose answers are given by hand. */
class Node {
  readonly asked: (() => void)[] = []
  inFlight = 0
  mostInFlight = 0
  satisfaction: 'yes' | 'not-yet' | 'no' = 'not-yet'
  readonly parking = new Parking({
    askPosition: () => {
      this.inFlight += 1
      this.mostInFlight = Math.max(this.mostInFlight, this.inFlight)
      return new Promise<void>((resolve) => {
        this.asked.push(() => {
          this.inFlight -= 1
          resolve()
        })
      })
    },
    satisfies: () => this.satisfaction,
  })

  park(budgetMs: number): Promise<ParkOutcome> {
    return new Promise((resolve) => this.parking.park('db2', floor, budgetMs, resolve))
  }

  /** Until it has been asked so many times in all. */
  async untilAsked(times: number): Promise<void> {
    await waitUntil(
      () =>
        this.asked.length >= times
          ? { done: true, value: undefined }
          : { done: false, seen: String(this.asked.length) },
      { awaited: `question ${times}`, deadline: Deadline.after(5000), everyMs: 1 },
    )
  }
}

describe('reads that wait for a replica', () => {
  it('R5: ask it one question at a time, however many they are', async () => {
    const node = new Node()
    const parked = Array.from({ length: 20 }, () => node.park(60_000))
    expect(node.parking.count).toBe(20)
    for (let times = 1; times <= 5; times += 1) {
      await node.untilAsked(times)
      expect(node.asked.length).toBe(times)
      if (times === 5) node.satisfaction = 'yes'
      node.asked[times - 1]?.()
    }
    expect(new Set(await Promise.all(parked))).toEqual(new Set(['satisfied']))
    expect(node.mostInFlight).toBe(1)
  })

  it('R5: leave it a millisecond between an answer and the next question', async () => {
    vi.useFakeTimers()
    try {
      const node = new Node()
      const parked = node.park(60_000)
      for (let times = 1; times <= 5; times += 1) {
        node.asked[times - 1]?.()
        await vi.advanceTimersByTimeAsync(0)
        expect(node.asked.length).toBe(times)
        await vi.advanceTimersByTimeAsync(1)
        expect(node.asked.length).toBe(times + 1)
      }
      node.satisfaction = 'yes'
      node.asked[5]?.()
      expect(await parked).toBe('satisfied')
    } finally {
      vi.useRealTimers()
    }
  })

  it('R5: ask nothing when nobody waits any more, and begin again with the next one', async () => {
    const node = new Node()
    expect(await node.park(1)).toBe('expired')
    node.asked[0]?.()
    const next = node.park(60_000)
    await node.untilAsked(2)
    node.satisfaction = 'yes'
    node.asked[1]?.()
    expect(await next).toBe('satisfied')
    expect({ asked: node.asked.length, count: node.parking.count }).toEqual({ asked: 2, count: 0 })
  })

  it('R5: give up when the replica is none any more', async () => {
    const node = new Node()
    const parked = node.park(60_000)
    node.satisfaction = 'no'
    node.asked[0]?.()
    expect(await parked).toBe('gone')
  })
})
