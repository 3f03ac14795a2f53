import { nowMs } from '../../base/clock.js'

/** Timers are to the millisecond. What is left of a pause, and is shorter than this, is waited for turn by turn of the event loop. */
const mostTurnsMs = 0.5

/** Resolves after so many milliseconds, to a fraction of one: for short pauses that somebody waits for. */
export async function pause(ms: number): Promise<void> {
  if (ms <= 0) return
  const untilMs = nowMs() + ms
  const timerMs = Math.round(ms)
  if (ms > mostTurnsMs) await new Promise((resolve) => setTimeout(resolve, Math.max(1, timerMs)))
  while (nowMs() < untilMs) await new Promise((resolve) => setImmediate(resolve))
}
