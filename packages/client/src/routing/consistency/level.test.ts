import { expect, it } from 'vitest'
import { isConsistency } from './level.js'

it('knows the three levels of consistency, and nothing else', () => {
  expect(['session', 'strong', 'eventual'].every(isConsistency)).toBe(true)
  expect(['Session', '', undefined, null, 1, {}].some(isConsistency)).toBe(false)
})
