import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stepRunners } from '../../packages/maestra/src/apply/step-runners.js'
import { chosen, seed } from '../harness/seed.js'
import { inWords, kindOf, nameOf } from './moments.js'
import { Walker } from './walker.js'
import { walks } from './walks.js'

let walker: Walker

beforeAll(async () => {
  walker = await Walker.open()
})

afterAll(() => walker.close())

/** With what is done `before the steps`: the lock is taken, configurations are tried. */
const kinds = ['before', ...Object.keys(stepRunners)]

describe('an apply that nobody interrupts', () => {
  // The long ones first: the others go on from where they end.
  it.each(walks.toReversed())('goes all the way of $name', async (walk) => {
    expect((await walker.recorded(walk)).kills.length).toBeGreaterThan(0)
  })
})

describe(`an apply that is killed (MAESTRA_SEED=${seed})`, () => {
  // A kind that is in no walk fails here: give it one in walks.ts.
  it.each(kinds)('in %s is not the worse for it', async (kind) => {
    const [walk, kills] = await firstWith(kind)
    const kill = chosen(kills, nameOf, kind)
    console.log(`killed in ${walk.name}: ${inWords(kill)} (MAESTRA_SEED=${seed})`)
    await walker.killed(walk, kill)
  })
})

/** The first walk that has a step of the kind, and the moments in it. */
async function firstWith(kind: string) {
  for (const walk of walks) {
    const kills = (await walker.recorded(walk)).kills.filter((kill) => kindOf(kill) === kind)
    if (kills.length > 0) return [walk, kills] as const
  }
  throw new Error(`no walk has a step ${kind}`)
}
