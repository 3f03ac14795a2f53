import { describe, expect, it } from 'vitest'
import { provenRead as read } from '../../routing/statement/statement.js'
import { type QueryCallback, queryCall } from '../calls/query-arguments.js'
import type { ServerConnection } from '../connections/server-connection.js'
import { ReplicaConnection } from './replica-connection.js'

/** A client that answers at once, and looks of the replica that are answered by hand. */
function replica() {
  const sent: unknown[] = []
  const looks: ((error: Error | undefined) => void)[] = []
  const client = {
    getTransactionStatus: () => 'I',
    query: (config: unknown, _values: unknown, told: QueryCallback) => {
      sent.push(config)
      told(undefined, undefined)
    },
  }
  const connection = new ReplicaConnection({
    connection: { client } as unknown as ServerConnection,
    count: () => {},
    classify: ({ text }) => (text === 'insert' ? { ...read, kind: 'row-change' } : read),
    whenNamed: (told) => told(),
    whenItHas: (told) => void looks.push(told),
    sendWrite: () => {},
  })
  return { connection, sent, looks }
}

describe('a connection that only reads', () => {
  it('R9: sends its statements in the order of their calls, whatever each of them waits for', () => {
    const { connection, sent, looks } = replica()
    for (const text of ['begin', 'select 1', 'commit']) connection.query(queryCall(text), () => {})
    expect({ sent: [...sent], looks: looks.length }).toEqual({ sent: [], looks: 1 })
    looks[0]?.(undefined)
    expect({ sent: [...sent], looks: looks.length }).toEqual({ sent: ['begin'], looks: 2 })
    looks[1]?.(undefined)
    looks[2]?.(undefined)
    expect(sent).toEqual(['begin', 'select 1', 'commit'])
  })

  it('S3: goes on behind a statement that is refused, or that its replica is behind for', () => {
    const { connection, sent, looks } = replica()
    const errors: unknown[] = []
    for (const text of ['insert', 'select 1', 'select 2']) {
      connection.query(queryCall(text), (error) => void errors.push((error as { code?: string } | undefined)?.code))
    }
    looks[0]?.(Object.assign(new Error('it is late'), { code: 'replica-behind' }))
    looks[1]?.(undefined)
    expect({ errors, sent }).toEqual({ errors: ['not-read-only', 'replica-behind', undefined], sent: ['select 2'] })
  })
})
