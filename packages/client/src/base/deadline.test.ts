import { afterEach, describe, expect, test, vi } from 'vitest'
import { nowMs } from './clock.js'
import { Deadline, type Look, waitUntil } from './deadline.js'
import { MaestraError } from './error.js'

vi.mock('./clock.js', { spy: true })

describe('a deadline', () => {
  afterEach(() => {
    vi.mocked(nowMs).mockReset()
  })

  test('counts down to zero and never below', () => {
    const at = (ms: number) => vi.mocked(nowMs).mockReturnValue(ms)
    at(500)
    const deadline = Deadline.after(1000)
    expect([deadline.totalMs, deadline.leftMs(), deadline.passed()]).toEqual([1000, 1000, false])
    at(1499)
    expect([deadline.leftMs(), deadline.passed()]).toEqual([1, false])
    at(1500)
    expect([deadline.leftMs(), deadline.passed()]).toEqual([0, true])
    at(2500)
    expect(deadline.leftMs()).toBe(0)
  })
})

describe('waiting', () => {
  const awaited = 'db1 to start'

  /** Done at the given look; counts the looks. */
  const doneAt = (number: number) => {
    const looks = { count: 0 }
    const look = (): Look<string> => {
      looks.count += 1
      return looks.count >= number ? { done: true, value: 'ready' } : { done: false, seen: `look ${looks.count}` }
    }
    return { looks, look }
  }

  test('gives the value of the first look that is done', async () => {
    const { looks, look } = doneAt(3)
    expect(await waitUntil(look, { awaited, deadline: Deadline.after(60_000), everyMs: 1 })).toBe('ready')
    expect(looks.count).toBe(3)
  })

  test('looks once also when the deadline has passed already', async () => {
    const { look } = doneAt(1)
    expect(await waitUntil(look, { awaited, deadline: Deadline.after(0) })).toBe('ready')
  })

  test('ends at the deadline with what was awaited, what was last seen, and the hint', async () => {
    const { looks, look } = doneAt(Number.POSITIVE_INFINITY)
    const error = await waitUntil(look, {
      awaited,
      deadline: Deadline.after(5),
      everyMs: 1,
      hint: 'see the log',
    }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(MaestraError)
    expect(error).toMatchObject({
      code: 'deadline-passed',
      message: `waited 5 ms for db1 to start; last seen: look ${looks.count}`,
      hint: 'see the log',
    })
  })

  test('looks a last time at the end, not only up to one interval before', async () => {
    const { looks, look } = doneAt(2)
    expect(await waitUntil(look, { awaited, deadline: Deadline.after(1), everyMs: 3_600_000 })).toBe('ready')
    expect(looks.count).toBe(2)
  })

  test('does not look when it is stopped before, and passes the reason on', async () => {
    const { looks, look } = doneAt(1)
    const reason = new MaestraError('interrupted', 'stopped by SIGINT')
    const options = { awaited, deadline: Deadline.after(60_000), signal: AbortSignal.abort(reason) }
    await expect(waitUntil(look, options)).rejects.toBe(reason)
    expect(looks.count).toBe(0)
  })

  test('is stopped between two looks, however far apart they are', async () => {
    const controller = new AbortController()
    const look = (): Look<never> => {
      setImmediate(() => controller.abort(new MaestraError('interrupted', 'stopped by SIGINT')))
      return { done: false, seen: 'nothing' }
    }
    const wait = waitUntil(look, {
      awaited,
      deadline: Deadline.after(3_600_000),
      everyMs: 3_600_000,
      signal: controller.signal,
    })
    await expect(wait).rejects.toMatchObject({ code: 'interrupted' })
  })

  test('passes on what a look throws', async () => {
    const look = () => Promise.reject(new Error('broken'))
    await expect(waitUntil(look, { awaited, deadline: Deadline.after(60_000) })).rejects.toThrow('broken')
  })
})
