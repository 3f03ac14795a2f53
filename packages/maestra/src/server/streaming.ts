import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import { compareLsn, formatLsn, type Lsn, parseLsn } from '@maestra/client/postgres/lsn'
import { type Login, withConnection } from './connection.js'

/** How long a standby may take to stream and to replay what its primary had at the start, in ms. */
const streamingTimeoutMs = 300_000

async function currentLsn(primary: Login): Promise<Lsn> {
  return await withConnection(primary, async (client) => {
    const result = await client.query<{ lsn: string }>('select pg_current_wal_lsn()::text as lsn')
    return parseLsn(result.rows[0]?.lsn ?? '')
  })
}

export type StreamingState = { readonly status: string | undefined; readonly replayLsn: Lsn | undefined }

/** What a standby does right now. */
export async function streamingState(standby: Login): Promise<StreamingState> {
  return await withConnection(standby, stateOn)
}

const stateOn: Parameters<typeof withConnection<StreamingState>>[1] = async (client) => {
  const result = await client.query<{ status: string | null; lsn: string | null }>(
    'select (select status from pg_stat_wal_receiver) as status, pg_last_wal_replay_lsn()::text as lsn',
  )
  const row = result.rows[0]
  return { status: row?.status ?? undefined, replayLsn: row?.lsn ? parseLsn(row.lsn) : undefined }
}

/** Waits until the standby streams and has replayed what its primary had when the wait began. */
export async function awaitStreaming(standby: Login, primary: Login, signal?: AbortSignal): Promise<void> {
  const goal = await currentLsn(primary)
  await withConnection(standby, async (client) => {
    await waitUntil(
      async () => {
        const state = await stateOn(client)
        const reached = state.replayLsn !== undefined && compareLsn(state.replayLsn, goal) >= 0
        if (reached && state.status === 'streaming') return { done: true, value: undefined }
        const position = state.replayLsn === undefined ? 'nothing' : formatLsn(state.replayLsn)
        return { done: false, seen: `WAL receiver ${state.status ?? 'not running'}, replayed ${position}` }
      },
      {
        awaited: `${standby.node} to stream from ${primary.node} and to replay ${formatLsn(goal)}`,
        deadline: Deadline.after(streamingTimeoutMs),
        everyMs: 10,
        signal,
        hint: `see the log of ${standby.node}: its WAL receiver says there why it cannot stream`,
      },
    )
  })
}
