import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { causality } from '../../../packages/client/src/adapters/http.js'
import { Pool, type PoolOptions } from '../../../packages/client/src/index.js'
import { positionName, writtenQuery } from '../../../packages/client/src/routing/topology/probe-query.js'
import type { Sandbox } from '../../../packages/maestra/src/index.js'
import { FaultyLink } from '../../harness/faulty-link.js'
import { type LinkedConnection, readyForQuery } from '../../harness/linked-connection.js'
import { sql, untilRows } from '../../harness/sql.js'
import { startServers } from '../../harness/start-servers.js'
import { tracesOf } from '../../harness/traces.js'
import { untilSeen } from '../../harness/until-seen.js'

let sandbox: Sandbox
/** Before the primary; the replicas are reached without one. */
let link: FaultyLink
const pools: Pool[] = []
/** The connection on which the answer to a reading of the primary's position waits. */
let capturing: LinkedConnection | undefined

beforeAll(async () => {
  sandbox = await startServers({ replicas: 2 })
  await sql(
    sandbox.primary.url,
    'create table item (value int); insert into item values (0); create table other (value int)',
  )
  link = await FaultyLink.to(sandbox.primary)
})
beforeEach(async () => {
  await sql(sandbox.primary.url, 'update item set value = 0')
  await untilReplayed()
})
afterEach(async () => {
  letCapturesGo()
  await Promise.all(pools.splice(0).map((pool) => pool.end()))
  await Promise.all(sandbox.replicas.map((replica) => replica.resume()))
})
afterAll(async () => {
  await link?.close()
  await sandbox?.stop()
})

const read = 'select value from item'
const valueIn = async (query: Promise<{ rows: { value?: number }[] }>) => (await query).rows[0]?.value
const pauseReplicas = () => Promise.all(sandbox.replicas.map((replica) => replica.pause()))

/** The replicas show all that the primary has written by now. */
async function untilReplayed(): Promise<void> {
  const [row] = await sql(sandbox.primary.url, 'select pg_current_wal_insert_lsn()::text as lsn')
  for (const { url } of sandbox.replicas) {
    await untilRows(url, `select pg_last_wal_replay_lsn() >= '${row?.['lsn']}' as has`, [{ has: true }])
  }
}

/** A pool whose reads are on replicas. */
async function open(options: PoolOptions = {}): Promise<Pool> {
  const { username, password } = new URL(sandbox.primary.url)
  const hosts = [link, ...sandbox.replicas].map(({ host, port }) => `${host}:${port}`).join(',')
  const pool = new Pool({ connectionString: `postgresql://${username}:${password}@${hosts}/postgres`, ...options })
  pools.push(pool)
  await untilSeen(
    'a read on a replica',
    () => pool.query(read).then(() => pool.explainRoute(read).reason),
    (reason) => reason === 'replica-has-it',
  )
  return pool
}

/** From here on no answer to a reading of the primary's position arrives. */
function holdCaptures(): void {
  link.asked = (bytes, connection) => {
    // Behind a write, whose own answer passes; else it is prepared: its text comes the first time, its name with each.
    if (bytes.includes(writtenQuery)) connection.holdBehind(readyForQuery)
    else if (bytes.includes(positionName)) connection.holdAnswers()
    else return
    capturing = connection
  }
}

function letCapturesGo(): void {
  link.asked = () => {}
  capturing?.letGo()
  capturing = undefined
}

/** Until the primary has answered one: its position is of a moment before that. */
const untilCaptured = () =>
  untilSeen(
    'an answer that is held',
    () => capturing?.heldBytes ?? 0,
    (bytes) => bytes > 0,
  )

describe('W3: a read behind a write', () => {
  it('W3: is not content with a position that was asked for before the write was acknowledged', async () => {
    const pool = await open()
    holdCaptures()
    await pool.query('update item set value = 1')
    await untilCaptured()
    // The replicas have what that position stands for, and nothing behind it.
    await untilReplayed()
    await pauseReplicas()
    await pool.query('update item set value = 2')
    const reading = valueIn(pool.query(read))
    letCapturesGo()
    expect(await reading).toBe(2)
  })

  it('W3: is answered by the primary when no position is there in time', async () => {
    const pool = await open({ waitMs: 300 })
    await pauseReplicas()
    holdCaptures()
    await pool.query('update item set value = 1')
    const { value, on } = await tracesOf(pool, () => valueIn(pool.query(read)))
    expect({ value, on }).toEqual({ value: 1, on: { primary: 1 } })
  })

  it('W3: that is issued after the acknowledgement sees it, also while the promise of the write has not resolved', async () => {
    const pool = await open()
    await pauseReplicas()
    holdCaptures()
    const seen = pool.session(async () => {
      const writing = pool.query('update item set value = 1')
      await untilCaptured()
      const reading = valueIn(pool.query(read))
      letCapturesGo()
      await writing
      return await reading
    })
    expect(await seen).toBe(1)
  })
})

describe('W7: a write of a session', () => {
  it('W7: resolves when its position is known, not before, and its token has it', async () => {
    const pool = await open()
    const other = await open()
    await pauseReplicas()
    holdCaptures()
    const token = await pool.session(async (session) => {
      const before = session.token()
      let isResolved = false
      const writing = pool.query('update item set value = 1').then(() => {
        isResolved = true
      })
      await untilCaptured()
      // The primary has acknowledged it: what is waited for is its position.
      expect(isResolved).toBe(false)
      letCapturesGo()
      await writing
      expect(session.token()).not.toBe(before)
      return session.token()
    })
    expect(await valueIn(other.query(read))).toBe(0)
    expect(await valueIn(other.withToken(token, () => other.query(read)))).toBe(1)
  })

  it('W7: that ends when the headers have left is told by an event, and its token is for the next answer', async () => {
    const pool = await open()
    const told: unknown[] = []
    pool.on('token-not-sent', (event) => void told.push(event))
    const carry = causality(pool)
    const server = createServer((request, response) =>
      carry(request, response, async () => {
        response.write('early ')
        await pool.query('update item set value = 1')
        response.end('late')
      }),
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/item`)
      expect([await answer.text(), answer.headers.getSetCookie()]).toEqual(['early late', []])
      expect(told).toEqual([expect.objectContaining({ method: 'GET', path: '/item' })])
    } finally {
      server.close()
    }
  })
})
