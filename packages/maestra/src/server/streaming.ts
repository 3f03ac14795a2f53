import { Deadline, type Look, waitUntil } from '@maestra/client/base/deadline'
import { MaestraError, messageOf } from '@maestra/client/base/error'
import { compareLsn, formatLsn, type Lsn, parseLsn } from '@maestra/client/postgres/lsn'
import type { WalReceiver } from '../cluster/observation.js'
import { errorCodeOf, type Login, withConnection } from './connection.js'
import { receiverText, type WalReceiverRow, walReceiverJson, walReceiverOf } from './wal-receiver.js'

/** How long a standby may take to stream and to replay what its primary had at the start, in ms. */
const streamingTimeoutMs = 300_000

/** What a standby streams from, and through which slot. */
export type StreamSource = { readonly host: string; readonly port: number; readonly slot: string }

/** Waits until the standby streams from this source and has replayed what its primary had when the wait began. */
export async function awaitStreaming(
  standby: Login,
  primary: Login,
  source: StreamSource,
  signal?: AbortSignal,
): Promise<void> {
  const goal = await currentLsn(primary)
  const look = async () => {
    const seen = await lookAtStandby(standby, source, goal)
    // One that is gone by now would be waited for in vain.
    if (!seen.done) await currentLsn(primary)
    return seen
  }
  await waitUntil(look, {
    awaited: `${standby.node} to stream from ${primary.node} and to replay ${formatLsn(goal)}`,
    deadline: Deadline.after(streamingTimeoutMs),
    everyMs: 10,
    signal,
    hint: `see the log of ${standby.node}: its WAL receiver says there why it cannot stream`,
  })
}

/** Nothing when the standby streams from this source, else what it does. */
export async function streamsFrom(standby: Login, source: StreamSource): Promise<string | undefined> {
  const { receiver } = await stateOf(standby)
  return isFrom(receiver, source) ? undefined : `it ${receiverText(receiver)}`
}

async function lookAtStandby(standby: Login, source: StreamSource, goal: Lsn): Promise<Look<void>> {
  try {
    const { receiver, replayLsn, paused } = await stateOf(standby)
    if (paused) throw pausedError(standby)
    const reached = replayLsn !== undefined && compareLsn(replayLsn, goal) >= 0
    if (reached && isFrom(receiver, source)) return { done: true, value: undefined }
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
}

async function stateOf(standby: Login): Promise<StandbyState> {
  return await withConnection(standby, async (client) => {
    const result = await client.query<{ receiver: WalReceiverRow | null; lsn: string | null; paused: boolean }>(
      `select ${walReceiverJson} as receiver, pg_last_wal_replay_lsn()::text as lsn,
         pg_is_in_recovery() and pg_is_wal_replay_paused() as paused`,
    )
    const row = result.rows[0]
    return {
      receiver: walReceiverOf(row?.receiver ?? null),
      replayLsn: row?.lsn ? parseLsn(row.lsn) : undefined,
      paused: row?.paused ?? false,
    }
  })
}
