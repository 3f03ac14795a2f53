import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ClusterStatus } from '../cluster/cluster-status.js'
import { terminal } from './terminal.js'
import { liveView } from './views/live-view.js'
import { statusView } from './views/status-view.js'

/**
 * Shows what each look sees until the signal: on a terminal the table in place of the one before, elsewhere one after the
 * other. A look that is under way at the signal is not waited for.
 */
export async function watchStatus(
  look: () => Promise<ClusterStatus>,
  options: { readonly everyMs: number; readonly json: boolean; readonly signal: AbortSignal },
): Promise<void> {
  const { everyMs, signal } = options
  const show = shower(options.json)
  const aborted = signal.aborted ? Promise.resolve() : once(signal, 'abort')
  while (!signal.aborted) {
    const seen = await Promise.race([look(), aborted.then(() => undefined)])
    if (seen === undefined) return
    show(seen)
    await sleep(everyMs, undefined, { signal }).catch(() => {})
  }
}

function shower(json: boolean): (status: ClusterStatus) => void {
  const write = (text: string) => process.stdout.write(text)
  const to = terminal(process.stdout)
  if (json) return (status) => write(`${JSON.stringify(status)}\n`)
  if (to.isTty) {
    const live = liveView(write, () => process.stdout.columns || 80)
    return (status) => live.show(statusView(status, to))
  }
  let between = ''
  return (status) => {
    write(between + statusView(status, to))
    between = '\n'
  }
}
