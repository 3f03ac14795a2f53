import { bytesText, timeText } from '../../cluster/amount-text.js'

/** The rate is that of so much time before now: one that follows the network, and does not jump. */
const windowMs = 10_000

/** Over less time there is no telling a rate. */
const fewestMs = 500

type Sample = { readonly atMs: number; readonly bytes: number }

/** How far a copy is, in words; it has to be told of each report, with the time when it came. */
export class CopyProgress {
  #samples: readonly Sample[] = []

  /** `1.2 GB of 3.4 GB, 210 MB/s, 11 s left`. The total is an estimate, which can be passed: what is shown adds up. */
  text(
    { receivedBytes, totalBytes }: { readonly receivedBytes: number; readonly totalBytes: number | undefined },
    nowMs: number,
  ): string {
    this.#samples = [
      // The one that the window begins with stays.
      ...this.#samples.filter((_, index) => (this.#samples[index + 1]?.atMs ?? nowMs) > nowMs - windowMs),
      { atMs: nowMs, bytes: receivedBytes },
    ]
    const total = totalBytes === undefined ? undefined : Math.max(totalBytes, receivedBytes)
    const parts = [
      total === undefined ? bytesText(receivedBytes) : `${bytesText(receivedBytes)} of ${bytesText(total)}`,
    ]
    const rate = this.#rate()
    if (rate !== undefined) parts.push(`${bytesText(rate)}/s`)
    if (rate !== undefined && total !== undefined && total > receivedBytes)
      parts.push(`${leftText(((total - receivedBytes) / rate) * 1000)} left`)
    return parts.join(', ')
  }

  /** Bytes a second. */
  #rate(): number | undefined {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)]
    if (first === undefined || last === undefined || last.atMs - first.atMs < fewestMs) return undefined
    const rate = ((last.bytes - first.bytes) / (last.atMs - first.atMs)) * 1000
    return rate > 0 ? rate : undefined
  }
}

/** A second is the least that is worth telling. */
function leftText(ms: number): string {
  return ms < 120_000 ? `${Math.max(1, Math.round(ms / 1000))} s` : timeText(ms)
}
