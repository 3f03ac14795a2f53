import { describe, expect, it } from 'vitest'
import { ReadCost } from './read-cost.js'

/** A text that was answered in a moment when it had a connection of its own. */
function small(): ReadCost {
  const cost = new ReadCost()
  cost.tookAlone(1)
  return cost
}

/** How many uses until it may share a connection again. */
function usesAlone(cost: ReadCost, aloneMs: number): number {
  let uses = 0
  while (!cost.mayShare()) {
    uses += 1
    cost.tookAlone(aloneMs)
  }
  return uses
}

describe('the cost of a text', () => {
  it('does not let it share a connection before it was seen to be small', () => {
    const cost = new ReadCost()
    for (let use = 0; use < 5; use += 1) {
      expect(cost.mayShare()).toBe(false)
      cost.tookAlone(200)
    }
    cost.tookAlone(1)
    expect(cost.mayShare()).toBe(true)
  })

  it('lets it until it is known to be slow', () => {
    const cost = small()
    for (let use = 0; use < 1000; use += 1) {
      expect(cost.mayShare()).toBe(true)
      cost.took(0.02)
    }
    expect(cost.expectedMs).toBeCloseTo(0.02)
  })

  it('is not moved by one answer that was late', () => {
    const cost = small()
    cost.took(10_000)
    expect(cost.mayShare()).toBe(true)
  })

  it('takes a text out that is slow on average', () => {
    const cost = small()
    for (let use = 0; use < 100 && cost.mayShare(); use += 1) cost.took(3)
    expect(cost.mayShare()).toBe(false)
  })

  it('takes a text out at once that has held others up, for longer each time while it stays slow', () => {
    const cost = small()
    const alone = [1, 2, 3].map(() => {
      cost.wasSlow()
      return usesAlone(cost, 200)
    })
    expect(alone).toEqual([9, 19, 39])
  })

  it('lets a text back in soon that is quick on a connection of its own', () => {
    const cost = small()
    for (let time = 0; time < 12; time += 1) cost.wasSlow()
    expect(usesAlone(cost, 1)).toBeLessThan(20)
  })
})
