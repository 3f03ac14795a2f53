import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Simulation, type Step, type StepKind } from './simulated-client.fixture.js'

/** How often each step comes. */
const often: Record<StepKind, number> = {
  open: 12,
  write: 30,
  capture: 40,
  serve: 80,
  receive: 80,
  other: 8,
  flush: 8,
  lookAtFlush: 8,
  crash: 3,
  promote: 3,
  lose: 8,
  end: 8,
  learn: 10,
  read: 30,
}

const number = fc.nat({ max: 59 })

function stepsOf(weights: Record<StepKind, number>): fc.Arbitrary<Step[]> {
  const kinds = Object.entries(weights).map(([kind, weight]) => ({
    weight,
    arbitrary: fc.constant(kind as StepKind),
  }))
  const step = fc.record({ kind: fc.oneof(...kinds), a: number, b: number })
  return fc.array(step, { minLength: 10, maxLength: 150, size: 'max' })
}

describe('Commits, whatever happens in whatever order', () => {
  it.each([
    ['servers change, and now and then one crashes', often, 250],
    ['one server crashes again and again', { ...often, crash: 14, promote: 0, lose: 30, flush: 2, read: 12 }, 250],
    ['nothing breaks', { ...often, crash: 0, promote: 0, lose: 0 }, 60],
  ])(
    'W3 W4 W5 W6 T7: a read sees what its scope wrote on every server that contains its floor, or somebody was told: %s',
    (_, weights, numRuns) => {
      const answers = { none: 0, at: 0, pending: 0, uncertain: 0 }
      fc.assert(
        fc.property(stepsOf(weights), (steps) => {
          const simulation = new Simulation()
          for (const kind of ['open', 'learn'] as const) simulation.step({ kind, a: 1, b: 1 })
          for (const each of steps) simulation.step(each)
          simulation.comeToRest()
          for (const kind of ['none', 'at', 'pending', 'uncertain'] as const) answers[kind] += simulation.answers[kind]
        }),
        { numRuns: numRuns },
      )
      // A run that hardly ever comes to a position would prove nothing.
      expect(answers.at).toBeGreaterThan(numRuns / 4)
      expect(answers.pending).toBeGreaterThan(numRuns / 4)
    },
  )
})
