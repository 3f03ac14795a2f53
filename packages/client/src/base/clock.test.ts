import { mock } from 'node:test'
import { afterEach, expect, test, vi } from 'vitest'
import { nowMs, sleep } from './clock.js'

afterEach(() => {
  vi.useRealTimers()
  mock.timers.reset()
})

test.each([
  ['vitest', () => vi.useFakeTimers()],
  ['node:test', () => mock.timers.enable()],
])('the clock goes on while %s holds that of the application', async (_name, hold) => {
  hold()
  const before = nowMs()
  await sleep(2)
  expect(nowMs()).toBeGreaterThan(before)
})
