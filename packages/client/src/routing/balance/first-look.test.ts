import { describe, expect, it } from 'vitest'
import { FirstLook } from './first-look.js'

/** Looks at a replica that is always so late, and says how many of the last hundred found what they looked for. */
function foundAfterMany(first: FirstLook, delayMs: number): number {
  let found = 0
  for (let look = 0; look < 600; look += 1) {
    const isThere = first.afterMs('db2') >= delayMs
    first.looked('db2', isThere)
    if (look >= 500 && isThere) found += 1
  }
  return found
}

describe('the first look at a replica', () => {
  it.each([0.05, 0.4, 3.5, 18])('comes to find what it looks for as a rule, and hardly later, at %d ms', (delayMs) => {
    const first = new FirstLook()
    expect(foundAfterMany(first, delayMs)).toBeGreaterThan(70)
    expect(first.afterMs('db2')).toBeLessThan(delayMs * 1.1)
  })

  it('follows a replica that gets faster', () => {
    const first = new FirstLook()
    foundAfterMany(first, 18)
    foundAfterMany(first, 0.4)
    expect(first.afterMs('db2')).toBeLessThan(0.5)
  })

  it('jumps when what was looked for in vain came much later', () => {
    const first = new FirstLook()
    for (let time = 0; time < 8; time += 1) first.found('db2', 20)
    expect(first.afterMs('db2')).toBeGreaterThan(9)
  })

  it('knows each replica by itself, and stays within bounds', () => {
    const first = new FirstLook()
    for (let look = 0; look < 1000; look += 1) {
      first.looked('db2', false)
      first.looked('db3', true)
    }
    expect([first.afterMs('db2'), first.afterMs('db3')]).toEqual([50, 0.02])
  })
})
