import { Deadline, waitUntil } from '@maestra/client/base/deadline'

/** Waits for a state that comes by itself. */
export async function untilSeen(
  awaited: string,
  look: () => unknown,
  isThere: (seen: never) => boolean,
): Promise<void> {
  await waitUntil(
    async () => {
      const seen = await look()
      return isThere(seen as never) ? { done: true, value: undefined } : { done: false, seen: JSON.stringify(seen) }
    },
    { awaited, deadline: Deadline.after(20_000), everyMs: 5 },
  )
}
