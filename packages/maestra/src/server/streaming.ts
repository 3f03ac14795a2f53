import { Deadline, type Look, waitUntil } from '@maestra/client/base/deadline'
import { MaestraError, messageOf } from '@maestra/client/base/error'
import { compareLsn, formatLsn, type Lsn, parseLsn } from '@maestra/client/postgres/lsn'
import type { WalReceiver } from '../cluster/observation.js'
import { errorCodeOf, type Login, withConnection } from './connection.js'
import { waitsForDelay } from './replay.js'
import { wakeOnce } from './wake-standby.js'
import { receiverText, type WalReceiverRow, walReceiverJson, walReceiverOf } from './wal-receiver.js'

/** How long a standby may take to stream and to replay what its primary had at the start, in ms. */
const streamingTimeoutMs = 300_000

/** What a standby streams from, and through which slot. */
export type StreamSource = { readonly host: string; readonly port: number; readonly slot: string }

/** Through whom WAL comes to a standby. */
export type Chain = {
  readonly standby: Login
  /** The node that it follows: the primary, or another standby. */
  readonly upstream: Login
  readonly primary: Login
}

/** Waits until the standby streams from this source and has replayed what the primary had when the wait began. */
export async function awaitStreaming(chain: Chain, source: StreamSource, signal?: AbortSignal): Promise<void> {
  const { standby, upstream, primary } = chain
  const goal = await currentLsn(primary)
  await untilSeen(chain, signal, {
    awaited: `${standby.node} to stream from ${upstream.node} and to replay ${formatLsn(goal)}`,
    isDone: ({ receiver, replayLsn }) =>
      replayLsn !== undefined && compareLsn(replayLsn, goal) >= 0 && isFrom(receiver, source),
  })
}

/**
 * Waits until a standby that replays late streams from this source, or will not before a delay is over: its own, or that of
 * its upstream, which receives nothing itself.
 */
export async function awaitLateStreaming(chain: Chain, source: StreamSource, signal?: AbortSignal): Promise<void> {
  const { standby, upstream } = chain
  await untilSeen(chain, signal, {
    awaited: `${standby.node} to stream from ${upstream.node}, or to wait for its delay`,
    isDone: async ({ receiver, waitsForDelay }) =>
      isFrom(receiver, source) || waitsForDelay || (receiver === undefined && (await receivesNothing(upstream))),
  })
}

async function untilSeen(
  { standby, upstream, primary }: Chain,
  signal: AbortSignal | undefined,
  { awaited, isDone }: { awaited: string; isDone: (state: StandbyState) => boolean | Promise<boolean> },
): Promise<void> {
  const wake = wakeOnce(standby)
  const look = async () => {
    let isIdle = false
    const seen = await lookAtStandby(standby, (state) => {
      isIdle = state.receiver === undefined
      return isDone(state)
    })
    if (seen.done) return seen
    // One that is gone by now would be waited for in vain.
    await Promise.all([currentLsn(primary), stateOf(upstream)])
    await wake(isIdle)
    return seen
  }
  await waitUntil(look, {
    awaited,
    deadline: Deadline.after(streamingTimeoutMs),
    everyMs: 10,
    signal,
    hint: `see the log of ${standby.node}: its WAL receiver says there why it cannot stream`,
  })
}

/** Whether a standby has no WAL receiver, as one that waits for its delay since a restart. */
async function receivesNothing(upstream: Login): Promise<boolean> {
  const { receiver, inRecovery } = await stateOf(upstream)
  return inRecovery && receiver === undefined
}

/** Nothing when the standby streams from this source, else what it does. */
export async function streamsFrom(standby: Login, source: StreamSource): Promise<string | undefined> {
  const { receiver } = await stateOf(standby)
  return isFrom(receiver, source) ? undefined : `it ${receiverText(receiver)}`
}

async function lookAtStandby(
  standby: Login,
  isDone: (state: StandbyState) => boolean | Promise<boolean>,
): Promise<Look<void>> {
  try {
    const state = await stateOf(standby)
    if (state.paused) throw pausedError(standby)
    if (await isDone(state)) return { done: true, value: undefined }
    const { receiver, replayLsn } = state
    const position = replayLsn === undefined ? 'nothing' : formatLsn(replayLsn)
    return { done: false, seen: `it ${receiverText(receiver)}, and has replayed ${position}` }
  } catch (error) {
    // It starts still: it replays what it needs to be consistent before it lets anybody in.
    if (errorCodeOf(error) === '57P03') return { done: false, seen: messageOf(error) }
    throw error
  }
}

function isFrom(receiver: WalReceiver | undefined, { host, port, slot }: StreamSource): boolean {
  return receiver?.status === 'streaming' && receiver.host === host && receiver.port === port && receiver.slot === slot
}

async function currentLsn(primary: Login): Promise<Lsn> {
  return await withConnection(primary, async (client) => {
    const result = await client.query<{ lsn: string }>('select pg_current_wal_lsn()::text as lsn')
    return parseLsn(result.rows[0]?.lsn ?? '')
  })
}

/** Waiting would only run into the deadline: PostgreSQL pauses by itself where a setting is too small to go on. */
function pausedError({ node }: Login): MaestraError {
  return new MaestraError('step-not-true', `${node} does not catch up: its replay is paused`, {
    hint: `see its log for "insufficient parameter settings"; else: select pg_wal_replay_resume()`,
  })
}

type StandbyState = {
  readonly receiver: WalReceiver | undefined
  readonly replayLsn: Lsn | undefined
  readonly paused: boolean
  readonly inRecovery: boolean
  readonly waitsForDelay: boolean
}

async function stateOf(login: Login): Promise<StandbyState> {
  return await withConnection(login, async (client) => {
    const result = await client.query<StateRow>(
      `select ${walReceiverJson} as receiver, pg_last_wal_replay_lsn()::text as lsn, pg_is_in_recovery() as standby,
         pg_is_in_recovery() and pg_is_wal_replay_paused() as paused, ${waitsForDelay} as waits`,
    )
    const row = result.rows[0]
    return {
      receiver: walReceiverOf(row?.receiver ?? null),
      replayLsn: row?.lsn ? parseLsn(row.lsn) : undefined,
      paused: row?.paused ?? false,
      inRecovery: row?.standby ?? false,
      waitsForDelay: row?.waits ?? false,
    }
  })
}

type StateRow = {
  readonly receiver: WalReceiverRow | null
  readonly lsn: string | null
  readonly standby: boolean
  readonly paused: boolean
  readonly waits: boolean
}
