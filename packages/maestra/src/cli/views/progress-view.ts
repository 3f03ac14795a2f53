import type { ApplyEvent } from '../../apply/apply-plan.js'
import { timeText } from '../../cluster/amount-text.js'
import type { Step } from '../../plan/step.js'
import { stepTitle } from '../../plan/step-title.js'
import type { Terminal } from '../terminal.js'
import { CopyProgress } from './copy-progress.js'

/** Nobody reads faster, and a fast copy reports hundreds of times a second. */
const movesEveryMs = 100

/**
 * The steps of an apply as they go: on a terminal the current one moves, elsewhere each is one line when it has ended.
 * Returns a listener for its events; `clear` takes an unfinished line away.
 */
export function progressView(
  write: (text: string) => void,
  to: Terminal,
  nowMs: () => number = () => performance.now(),
): { onEvent(event: ApplyEvent): void; clear(): void } {
  const erase = to.isTty ? '\r\u001b[2K' : ''
  const copies = new Map<Step, CopyProgress>()
  let movedAtMs = Number.NEGATIVE_INFINITY
  let open = false
  const moving = (text: string) => {
    if (!to.isTty) return
    write(`${erase}${text.slice(0, to.columns - 1)}`)
    open = true
  }
  const clear = () => {
    if (open) write(erase)
    open = false
  }
  return {
    clear,
    onEvent: (event) => {
      const title = stepTitle(event.step)
      if (event.kind === 'step-started') moving(`  … [${event.index + 1}/${event.count}] ${title}`)
      if (event.kind === 'step-progressed') {
        const now = nowMs()
        if (now - movedAtMs < movesEveryMs) return
        movedAtMs = now
        const copy = copies.get(event.step) ?? new CopyProgress()
        copies.set(event.step, copy)
        moving(`  … ${title}: ${copy.text(event.progress, now)}`)
      }
      if (event.kind === 'step-ended') {
        clear()
        const result = event.result === 'already' ? 'is so already' : timeText(event.tookMs)
        write(`  ${to.colour('green', '✓')} ${title} (${result})\n`)
      }
    },
  }
}
