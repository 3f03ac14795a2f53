import type pg from 'pg'
import { describe, expect, it } from 'vitest'
import { parseLsn } from '../../postgres/lsn.js'
import type { NodeConnections } from './node-connections.js'
import { observeReplay, observeReplayFirst } from './observed-read.js'
import { ServerConnection } from './server-connection.js'

type Answer = Readonly<Record<string, string | null>> | Error

const standby = { in_recovery: 'true', replayed: '0/5000', received_timeline: null }
const promoted = { in_recovery: 'false', replayed: '0/5000', inserted: '0/6000', flushed: '0/6000' }

/** A connection that has seen 0/4000, to a server that says so. */
function connectionTo(answer: Answer): ServerConnection {
  const query = ({ callback }: { callback?: (error: Error | null, result?: unknown) => void }) => {
    const result = { rows: [answer] }
    if (callback === undefined) return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(result)
    return answer instanceof Error ? callback(answer) : callback(null, result)
  }
  const connection = new ServerConnection({} as NodeConnections, { query } as unknown as pg.PoolClient, 1)
  connection.observed = { replayed: parseLsn('0/4000'), at: 1, timeline: undefined }
  return connection
}

describe('R3: a look at a connection’s own server', () => {
  it('R3: is kept', async () => {
    for (const connection of [connectionTo(standby), connectionTo(standby)]) {
      observeReplayFirst(connection, false)
      expect(connection.observed?.replayed).toBe(parseLsn('0/5000'))
      expect(await observeReplay(connection)).toBe(true)
    }
  })

  it.each<[string, Answer]>([
    ['was promoted', promoted],
    ['has replayed nothing', { ...standby, replayed: null }],
    ['does not answer', new Error('Connection terminated unexpectedly')],
  ])('T3: takes away what was seen before, of one that %s', (_, answer) => {
    const connection = connectionTo(answer)
    observeReplayFirst(connection, true)
    expect(connection.observed).toBeUndefined()
  })

  it('T3: is no position of a server that was promoted', async () => {
    const connection = connectionTo(promoted)
    expect(await observeReplay(connection)).toBe(false)
    expect(connection.observed).toBeUndefined()
  })
})
