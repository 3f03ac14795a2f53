import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { editDistance, nearestWord } from './nearest-word.js'

describe('editDistance', () => {
  test.each([
    ['port', 'port', 0],
    ['prot', 'port', 1],
    ['pot', 'port', 1],
    ['porrt', 'port', 1],
    ['part', 'port', 1],
    ['', 'port', 4],
    ['data', 'port', 4],
    ['ca', 'abc', 3],
  ])('of %j and %j is %i', (from, to, distance) => {
    expect(editDistance(from, to)).toBe(distance)
  })

  test('is the same in both directions, and nothing only between equal words', () => {
    const word = fc.string({ maxLength: 8 })
    fc.assert(
      fc.property(word, word, (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a))
        expect(editDistance(a, b) === 0).toBe(a === b)
        expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length))
      }),
    )
  })
})

describe('nearestWord', () => {
  const known = ['name', 'host', 'port', 'data', 'primary', 'parameters']

  test.each([
    ['prot', 'port'],
    ['Port', 'port'],
    ['hots', 'host'],
    ['parameter', 'parameters'],
    ['params', undefined],
    ['primery', 'primary'],
    ['standby', undefined],
    ['', undefined],
    ['x'.repeat(100_000), undefined],
  ])('to %j is %j', (word, nearest) => {
    expect(nearestWord(word, known)).toBe(nearest)
  })

  test('is none where nothing is known', () => {
    expect(nearestWord('port', [])).toBeUndefined()
  })
})
