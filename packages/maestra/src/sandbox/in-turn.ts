import { join } from 'node:path'
import { Deadline, type Look, waitUntil } from '@maestra/client/base/deadline'
import { MaestraError } from '@maestra/client/base/error'
import { type ApplyLock, acquireLockAt } from '../apply/apply-lock.js'
import type { SandboxContext } from './sandbox-context.js'

/** Longer than a promotion that has to make replicas anew. */
const turnTimeoutMs = 180_000

/**
 * Does what changes who follows whom, one after the other, also where several processes do something to one sandbox: two
 * promotions at once would leave two primaries.
 */
export async function inTurn<T>(context: SandboxContext, work: () => Promise<T>): Promise<T> {
  const lock = await waitUntil(() => lookForTurn(context), {
    awaited: `what others do to sandbox ${context.sandbox.record.name} to end`,
    deadline: Deadline.after(turnTimeoutMs),
    everyMs: 10,
    signal: context.signal,
  })
  try {
    return await work()
  } finally {
    await lock.release()
  }
}

async function lookForTurn({ site, sandbox }: SandboxContext): Promise<Look<ApplyLock>> {
  try {
    return { done: true, value: await acquireLockAt(site.host, join(sandbox.record.directory, 'sandbox.maestra-lock')) }
  } catch (error) {
    if (error instanceof MaestraError && error.code === 'apply-locked') return { done: false, seen: error.message }
    throw error
  }
}
