import { nowMs, sleep } from './clock.js'
import { MaestraError } from './error.js'

/** A moment after which a wait is given up. */
export class Deadline {
  readonly #endsAt: number
  readonly totalMs: number

  private constructor(totalMs: number) {
    this.totalMs = totalMs
    this.#endsAt = nowMs() + totalMs
  }

  static after(totalMs: number): Deadline {
    return new Deadline(totalMs)
  }

  /** Milliseconds left, never negative. */
  leftMs(): number {
    return Math.max(0, this.#endsAt - nowMs())
  }

  passed(): boolean {
    return this.leftMs() === 0
  }
}

export type WaitOptions = {
  /** Completes the sentence "waited for ...". */
  readonly awaited: string
  readonly deadline: Deadline
  /** Milliseconds between two looks; 20 by default. */
  readonly everyMs?: number
  readonly signal?: AbortSignal | undefined
  readonly hint?: string
}

/** What one look saw: the value when it is there, else words for what is there instead. */
export type Look<T> = { readonly done: true; readonly value: T } | { readonly done: false; readonly seen: string }

/**
 * Looks again and again until the look is done. An aborted signal throws its reason. Past the deadline the error says
 * what was awaited and what was last seen.
 */
export async function waitUntil<T>(look: () => Promise<Look<T>> | Look<T>, options: WaitOptions): Promise<T> {
  const { awaited, deadline, everyMs = 20, signal, hint } = options
  for (;;) {
    signal?.throwIfAborted()
    const seen = await look()
    if (seen.done) return seen.value
    if (deadline.passed()) {
      throw new MaestraError(
        'deadline-passed',
        `waited ${deadline.totalMs} ms for ${awaited}; last seen: ${seen.seen}`,
        {
          ...(hint === undefined ? {} : { hint }),
        },
      )
    }
    // An abort ends the sleep with an error of its own; the next round throws the reason.
    await sleep(Math.min(everyMs, deadline.leftMs()), undefined, signal ? { signal } : {}).catch(() => {})
  }
}
