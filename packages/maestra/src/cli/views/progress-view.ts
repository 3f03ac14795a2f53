import type { ApplyEvent } from '../../apply/apply-plan.js'
import { bytesText, timeText } from '../../cluster/amount-text.js'
import { stepTitle } from '../../plan/step-title.js'
import type { Terminal } from '../terminal.js'

/**
 * The steps of an apply as they go: on a terminal the current one moves, elsewhere each is one line when it has ended.
 * Returns a listener for its events; `clear` takes an unfinished line away.
 */
export function progressView(
  write: (text: string) => void,
  to: Terminal,
): { onEvent(event: ApplyEvent): void; clear(): void } {
  const erase = to.isTty ? '\r\u001b[2K' : ''
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
      if (event.kind === 'step-progressed') moving(`  … ${title}: ${progressText(event.progress)}`)
      if (event.kind === 'step-ended') {
        clear()
        const result = event.result === 'already' ? 'is so already' : timeText(event.tookMs)
        write(`  ${to.colour('green', '✓')} ${title} (${result})\n`)
      }
    },
  }
}

function progressText({
  receivedBytes,
  totalBytes,
}: {
  receivedBytes: number
  totalBytes: number | undefined
}): string {
  if (totalBytes === undefined || totalBytes === 0) return bytesText(receivedBytes)
  const percent = Math.min(100, Math.floor((receivedBytes / totalBytes) * 100))
  return `${bytesText(receivedBytes)} of ${bytesText(totalBytes)}, ${percent} %`
}
