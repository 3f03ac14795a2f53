import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Watch } from '../../routing/watch.js'
import type { ServerConnection } from '../connections/server-connection.js'
import { whenBackendEnded } from './backend-end.js'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

/** A primary on which the backend runs for as many looks as said. */
function watchWhere(runsForLooks: number) {
  const looks: string[] = []
  const watch = {
    topology: { primary: { address: 'db1:5432', startedAt: 'then' } },
    ask: async (address: string) => {
      looks.push(address)
      return { rows: [{ running: looks.length > runsForLooks ? '0' : '1' }] }
    },
  } as unknown as Pick<Watch, 'topology' | 'ask'>
  return { watch, looks }
}

const connection = {
  node: { address: 'db1:5432' },
  identity: { startedAt: 'then', backendPid: 7 },
  isPooled: false,
} as unknown as ServerConnection

it('W6: looks until the backend of a lost connection is gone, and tells once', async () => {
  const { watch, looks } = watchWhere(3)
  const ended = vi.fn()
  whenBackendEnded(watch, connection, ended, () => false)
  await vi.advanceTimersByTimeAsync(10_000)
  expect([looks.length, ended.mock.calls.length]).toEqual([4, 1])
})

it('looks no more when the pool has ended', async () => {
  const { watch, looks } = watchWhere(1_000_000)
  let isEnded = false
  const ended = vi.fn()
  whenBackendEnded(watch, connection, ended, () => isEnded)
  await vi.advanceTimersByTimeAsync(1000)
  expect(looks.length).toBeGreaterThan(1)
  isEnded = true
  await vi.advanceTimersByTimeAsync(100)
  expect(vi.getTimerCount()).toBe(0)
  expect(ended).not.toHaveBeenCalled()
})
