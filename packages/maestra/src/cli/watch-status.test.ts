import { expect, test, vi } from 'vitest'
import type { ClusterStatus } from '../cluster/cluster-status.js'
import { watchStatus } from './watch-status.js'

const status: ClusterStatus = { cluster: 'shop', primary: null, nodes: [] }

test('a look that nobody answers is not waited for', async () => {
  const stop = new AbortController()
  const watching = watchStatus(() => new Promise(() => {}), { everyMs: 1, json: true, signal: stop.signal })
  stop.abort()
  await watching
})

test('nothing is looked at after the signal, and looks do not overlap', async () => {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  const stop = new AbortController()
  let looks = 0
  let under = 0
  const look = async () => {
    looks += 1
    under += 1
    expect(under).toBe(1)
    await Promise.resolve()
    under -= 1
    if (looks === 3) stop.abort()
    return status
  }
  await watchStatus(look, { everyMs: 1, json: true, signal: stop.signal })
  await watchStatus(look, { everyMs: 1, json: true, signal: stop.signal })
  const written = write.mock.calls.map(([text]) => text)
  write.mockRestore()
  expect(looks).toBe(3)
  expect(written.slice(0, 2)).toEqual([`${JSON.stringify(status)}\n`, `${JSON.stringify(status)}\n`])
})
