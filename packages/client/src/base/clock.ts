import * as timers from 'node:timers/promises'

/**
 * The machine's own clock, as it was when this was loaded: tests of applications that run on ours put another one in its
 * place, and servers do not start by that.
 */
export const sleep: typeof timers.setTimeout = timers.setTimeout

/** Milliseconds since some moment in the past; never goes back. */
export const nowMs: () => number = performance.now.bind(performance)
