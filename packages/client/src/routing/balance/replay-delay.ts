import type { Lsn } from '../../postgres/lsn.js'

type Captured = { readonly lsn: Lsn; readonly atMs: number }

/** How many positions of the primary are remembered: some seconds of them, at one for each round trip. */
const remembered = 512
/** Two looks that are this close together tell when a position was replayed, not only that it was. */
const closeMs = 4
/** After so long without news an estimate counts half: a replica that was slow is tried again. */
const halfLifeMs = 1000
const weightOfNew = 0.2

type Estimate = { delayMs: number; lookedAtMs: number; replayed: Lsn }

/**
 * How long each replica takes to replay what the primary has written, by the process's own clock alone: when a position was read on
 * the primary, and when a replica was first seen to have it.
 */
export class ReplayDelay {
  readonly #captured: Captured[] = []
  readonly #estimates = new Map<string, Estimate>()

  /** A position was read on the primary. Positions of one history only grow; after a promotion, forget() first. */
  captured(lsn: Lsn, atMs: number): void {
    const last = this.#captured.at(-1)
    if (last !== undefined && lsn <= last.lsn) return
    this.#captured.push({ lsn, atMs })
    if (this.#captured.length > remembered) this.#captured.splice(0, remembered / 2)
  }

  /** A replica was seen to have replayed up to `lsn`. */
  observed(address: string, lsn: Lsn, atMs: number): void {
    const before = this.#estimates.get(address)
    const missing = this.#firstAfter(lsn)
    // It is at least as late as the oldest position that it lacks is old.
    const atLeastMs = missing === undefined ? 0 : atMs - missing.atMs
    const decayed = before === undefined ? 0 : before.delayMs * 0.5 ** ((atMs - before.lookedAtMs) / halfLifeMs)
    const seen = before !== undefined && atMs - before.lookedAtMs <= closeMs ? this.#lastUpTo(lsn) : undefined
    const isNew = seen !== undefined && before !== undefined && seen.lsn > before.replayed
    const delayMs = isNew ? decayed + (atMs - seen.atMs - decayed) * weightOfNew : decayed
    // And no later than the newest position that it has is old: one that stood still and has caught up is used again at once.
    const atMostMs = atMs - (this.#lastUpTo(lsn)?.atMs ?? Number.NEGATIVE_INFINITY)
    this.#estimates.set(address, {
      delayMs: Math.max(Math.min(delayMs, atMostMs), atLeastMs),
      lookedAtMs: atMs,
      replayed: lsn,
    })
  }

  /** When the last of these positions, or one behind it, was first read on the primary; long ago where that is not remembered. */
  writtenAtMs(positions: readonly { readonly lsn: Lsn }[]): number {
    let atMs = Number.NEGATIVE_INFINITY
    for (const { lsn } of positions) atMs = Math.max(atMs, this.#lastUpTo(lsn)?.atMs ?? Number.NEGATIVE_INFINITY)
    return atMs
  }

  /** Milliseconds until a replica will have what is written now; 0 when nobody has looked. */
  delayMs(address: string, nowMs: number): number {
    const estimate = this.#estimates.get(address)
    return estimate === undefined ? 0 : estimate.delayMs * 0.5 ** ((nowMs - estimate.lookedAtMs) / halfLifeMs)
  }

  /** Milliseconds until a replica will have a position that was read on the primary; 0 when it should have it by now. */
  expectedWaitMs(address: string, lsn: Lsn, nowMs: number): number {
    const estimate = this.#estimates.get(address)
    if (estimate === undefined) return 0
    const capturedAtMs = this.#lastUpTo(lsn)?.atMs ?? Number.NEGATIVE_INFINITY
    const waitMs = this.delayMs(address, nowMs) - (nowMs - capturedAtMs)
    return waitMs > 0 ? waitMs : Math.max(0, this.#overdueMs(estimate, lsn, nowMs))
  }

  /** What was known belongs to another history. */
  forget(): void {
    this.#captured.length = 0
    this.#estimates.clear()
  }

  /** What had not come at the last look will take as long again, as a guess: a replica that stands still is tried less and less often. */
  #overdueMs({ replayed, lookedAtMs }: Estimate, lsn: Lsn, nowMs: number): number {
    const writtenBy = replayed < lsn ? this.#firstAfter((lsn - 1n) as Lsn) : undefined
    return writtenBy === undefined ? 0 : 2 * (lookedAtMs - writtenBy.atMs) - (nowMs - writtenBy.atMs)
  }

  #firstAfter(lsn: Lsn): Captured | undefined {
    return this.#captured[this.#countUpTo(lsn)]
  }

  #lastUpTo(lsn: Lsn): Captured | undefined {
    return this.#captured[this.#countUpTo(lsn) - 1]
  }

  /** Positions are in their order: by halves. */
  #countUpTo(lsn: Lsn): number {
    let from = 0
    let to = this.#captured.length
    while (from < to) {
      const middle = (from + to) >> 1
      if ((this.#captured[middle]?.lsn ?? lsn) <= lsn) from = middle + 1
      else to = middle
    }
    return from
  }
}
