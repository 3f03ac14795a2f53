import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import type pg from 'pg'
import { type Login, withConnection } from './connection.js'

const replayTimeoutMs = 30_000

/** Whether the server waits until a commit is as old as its recovery_min_apply_delay, and replays nothing meanwhile. */
export const waitsForDelay = `exists (select from pg_stat_activity
  where backend_type = 'startup' and wait_event = 'RecoveryApplyDelay')`

/**
 * Has a standby replay each commit so long, in ms, after it was made: PostgreSQL holds back commit records only, so what
 * else a transaction did is there, unseen, and a lock may be held. 0 ends it. It outlives a restart.
 */
export async function delayReplay(standby: Login, delayMs: number): Promise<void> {
  await withConnection(standby, async (client) => {
    await client.query(`alter system set recovery_min_apply_delay = ${delayMs}`)
    await client.query('select pg_reload_conf()')
    await waitUntil(
      async () => {
        const result = await client.query<{ ms: string }>(
          `select setting as ms from pg_settings where name = 'recovery_min_apply_delay'`,
        )
        const seen = result.rows[0]?.ms
        return seen === String(delayMs) ? { done: true, value: undefined } : { done: false, seen: `it is ${seen} ms` }
      },
      {
        awaited: `${standby.node} to take recovery_min_apply_delay = ${delayMs} ms`,
        deadline: Deadline.after(replayTimeoutMs),
        everyMs: 2,
      },
    )
  })
}

/** Has replay stand still; when it resolves nothing more is replayed. */
export async function pauseReplay(standby: Login): Promise<void> {
  await withConnection(standby, async (client) => {
    await client.query('select pg_wal_replay_pause()')
    await waitUntil(
      async () => {
        const seen = await replayState(client)
        return seen.stands ? { done: true, value: undefined } : { done: false, seen: seen.words }
      },
      { awaited: `the replay of ${standby.node} to pause`, deadline: Deadline.after(replayTimeoutMs), everyMs: 2 },
    )
  })
}

/** Has replay go on. */
export async function resumeReplay(standby: Login): Promise<void> {
  await withConnection(standby, async (client) => {
    await client.query('select pg_wal_replay_resume()')
  })
}

/**
 * A replay that waits for the time of a late commit takes notice of a pause only after it, and before it replays that
 * commit: it stands still all the same.
 */
async function replayState(client: pg.Client): Promise<{ readonly stands: boolean; readonly words: string }> {
  const result = await client.query<{ state: string; waits: string | null }>(
    `select pg_get_wal_replay_pause_state() as state,
       (select wait_event from pg_stat_activity where backend_type = 'startup') as waits`,
  )
  const { state = 'unknown', waits = null } = result.rows[0] ?? {}
  const late = state === 'pause requested' && waits === 'RecoveryApplyDelay'
  return { stands: state === 'paused' || late, words: `it is ${state}, its replay waits for ${waits ?? 'nothing'}` }
}
