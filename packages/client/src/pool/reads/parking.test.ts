import { describe, expect, it, vi } from 'vitest'
import { Deadline, waitUntil } from '../../base/deadline.js'
import type { Floor } from '../../routing/consistency/floor.js'
import { Parking, type ParkOutcome } from './parking.js'

const floor: Floor = { kind: 'none' }

/** A node whose answers are given by hand. */
class Node {
  readonly asked: (() => void)[] = []
  inFlight = 0
  mostInFlight = 0
  satisfaction: 'yes' | 'not-yet' | 'no' = 'not-yet'
  /** Long ago, so that it should be there by now. */
  writtenAtMs = Number.NEGATIVE_INFINITY
  readonly parking: Parking

  constructor(pause?: (ms: number) => Promise<void>) {
    this.parking = new Parking({ ...this.#options, ...(pause && { pause }) })
  }

  readonly #options = {
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
    writtenAtMs: () => this.writtenAtMs,
  }

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
    const pauses: { readonly ms: number; readonly end: () => void }[] = []
    const node = new Node((ms) => new Promise((end) => void pauses.push({ ms, end })))
    const parked = node.park(60_000)
    for (let times = 1; times <= 5; times += 1) {
      await vi.waitUntil(() => pauses.length === times)
      expect(node.asked.length).toBe(times - 1)
      const { ms, end } = pauses[times - 1] ?? { ms: Number.NaN, end: () => {} }
      if (times > 1) expect(ms).toBeGreaterThan(0.5)
      end()
      await node.untilAsked(times)
      if (times === 5) node.satisfaction = 'yes'
      node.asked[times - 1]?.()
    }
    expect(await parked).toBe('satisfied')
  })

  it('R5: ask nothing when nobody waits any more, and begin again with the next one', async () => {
    const node = new Node()
    expect(await node.park(1)).toBe('expired')
    await node.untilAsked(1)
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
    await node.untilAsked(1)
    node.asked[0]?.()
    expect(await parked).toBe('gone')
  })

  it('are told together when a replica should have what they wait for, and not before', async () => {
    const pauses: { readonly ms: number; readonly end: () => void }[] = []
    const node = new Node((ms) => new Promise((end) => void pauses.push({ ms, end })))
    const told: number[] = []
    node.writtenAtMs = performance.now() + 1000
    expect(node.parking.isDue('db2', floor)).toBe(false)
    for (const each of [1, 2, 3]) node.parking.whenDue('db2', floor, 60_000, () => void told.push(each))
    expect([pauses.length, told]).toEqual([1, []])
    expect(pauses[0]?.ms).toBeGreaterThan(500)
    pauses[0]?.end()
    await vi.waitUntil(() => told.length === 3)
    node.writtenAtMs = Number.NEGATIVE_INFINITY
    expect(node.parking.isDue('db2', floor)).toBe(true)
    expect(node.asked).toEqual([])
  })

  it('count one look once, however many reads it served', () => {
    const { parking } = new Node()
    expect([parking.looked('db2', 7, true), parking.looked('db2', 7, true), parking.looked('db2', 8, false)]).toEqual([
      true,
      false,
      true,
    ])
  })
})
