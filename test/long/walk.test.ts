import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { inWords } from '../walk/moments.js'
import { Walker } from '../walk/walker.js'
import { walks } from '../walk/walks.js'

const hourMs = 3_600_000
let walker: Walker

beforeAll(async () => {
  walker = await Walker.open()
})

afterAll(() => walker.close())

describe('an apply that is killed', () => {
  it.each(walks)('at any moment of $name is not the worse for it', { timeout: hourMs }, async (walk) => {
    const { kills } = await walker.recorded(walk)
    expect(kills.length).toBeGreaterThan(1)
    for (const [index, kill] of kills.entries()) {
      await walker.killed(walk, kill)
      console.log(`${walk.name}, ${index + 1} of ${kills.length}: ${inWords(kill)}`)
    }
  })

  it.each(walks)('again and again on the way of $name is not the worse for it', { timeout: hourMs }, async (walk) => {
    const count = await walker.killedAtEach(walk, (await walker.recorded(walk)).kills)
    console.log(`${walk.name}: killed ${count} times on one way`)
    expect(count).toBeGreaterThan(1)
  })
})
