import { MaestraError } from '@maestra/client/base/error'
import { parseMilliseconds } from '@maestra/client/postgres/setting-value'
import { delayReplay, pauseReplay, resumeReplay } from '../../server/replay.js'
import { clusterOf, loginOf, type SandboxContext, standbyOf } from '../sandbox-context.js'
import { followInTurn } from './follow.js'

/** The most that recovery_min_apply_delay takes, in ms: 24 days. */
const longestLagMs = 2_147_483_647

/** Has a replica replay each commit so long after it was made. */
export async function lag(context: SandboxContext, name: string, delay: string | number): Promise<void> {
  const delayMs = checkedDelay(delay)
  await delayReplay(await login(context, name, 'lag'), delayMs)
  if (delayMs === 0) await lookAgain(context, name)
}

export async function pause(context: SandboxContext, name: string): Promise<void> {
  await pauseReplay(await login(context, name, 'pause'))
}

export async function resume(context: SandboxContext, name: string): Promise<void> {
  await resumeReplay(await login(context, name, 'resume'))
  await lookAgain(context, name)
}

/** It was not waited for while it was held back, and may turn out to be ahead. Without the keeper it gets nothing anyway. */
async function lookAgain(context: SandboxContext, name: string): Promise<void> {
  await followInTurn(context, name).catch((error) => {
    if (!(error instanceof MaestraError) || error.code !== 'keeper-gone') throw error
  })
}

async function login(context: SandboxContext, name: string, what: string) {
  const node = await standbyOf(context, name, what)
  return await loginOf(context, await clusterOf(context), node)
}

function checkedDelay(delay: string | number): number {
  const delayMs = typeof delay === 'number' ? delay : millisecondsIn(delay)
  if (Number.isInteger(delayMs) && delayMs >= 0 && delayMs <= longestLagMs) return delayMs
  throw new MaestraError('bad-value', `a lag of ${delay} cannot be: it is from 0 to ${longestLagMs} ms`, {
    hint: `write a time such as '500ms' or '2s', or a whole number of ms`,
  })
}

/** Not a number for what is no time. */
function millisecondsIn(text: string): number {
  try {
    return Math.round(parseMilliseconds(text))
  } catch {
    return Number.NaN
  }
}
