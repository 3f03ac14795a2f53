import { sleep } from '@maestra/client/base/clock'

/** How long one node may take in all, its files included, in ms. */
const nodeTimeoutMs = 12_000

/** What is found in time, else a value that says why it is not known. */
export async function withinNodeDeadline<T>(looking: Promise<T>, late: (because: string) => T): Promise<T> {
  const cancel = new AbortController()
  const tooLate = sleep(nodeTimeoutMs, undefined, { signal: cancel.signal }).then(
    () => late(`it could not be looked at within ${nodeTimeoutMs} ms`),
    () => looking,
  )
  try {
    return await Promise.race([looking, tooLate])
  } finally {
    cancel.abort()
  }
}
