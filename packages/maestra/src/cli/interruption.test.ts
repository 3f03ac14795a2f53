import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { interruptions } from './interruption.js'

const exit = vi.spyOn(process, 'exit').mockImplementation(() => undefined as never)
let interruption: ReturnType<typeof interruptions>

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] })
  exit.mockClear()
  interruption = interruptions()
})
afterEach(() => {
  interruption.stopListening()
  vi.useRealTimers()
})

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s asks the command to stop', (name) => {
  process.emit(name, name)
  expect(interruption.signal.aborted).toBe(true)
  expect(interruption.signal.reason).toMatchObject({ code: 'interrupted', message: `stopped by ${name}` })
  expect(exit).not.toHaveBeenCalled()
})

test('the second signal that npm passes on within half a second is the same Ctrl-C', () => {
  process.emit('SIGINT', 'SIGINT')
  vi.advanceTimersByTime(500)
  process.emit('SIGINT', 'SIGINT')
  expect(exit).not.toHaveBeenCalled()
})

test('a second Ctrl-C ends the process at once, with the code of the signal', () => {
  process.emit('SIGINT', 'SIGINT')
  vi.advanceTimersByTime(501)
  process.emit('SIGINT', 'SIGINT')
  expect(exit).toHaveBeenCalledWith(130)
})

test('nobody listens any more when the command has ended', () => {
  const before = process.listenerCount('SIGINT')
  interruption.stopListening()
  expect(process.listenerCount('SIGINT')).toBe(before - 1)
})
