import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Pool, type PoolOptions, type RoutingEvent } from '../../../packages/client/src/index.js'
import { type Sandbox, startSandbox } from '../../../packages/maestra/src/index.js'
import { FaultyLink } from '../../harness/faulty-link.js'
import type { LinkedConnection } from '../../harness/linked-connection.js'
import { sql, untilRows } from '../../harness/sql.js'
import { tracesOf } from '../../harness/traces.js'
import { untilSeen } from '../../harness/until-seen.js'

let sandbox: Sandbox
/** Before the primary; the replicas are reached without one. */
let link: FaultyLink
let pool: Pool
let events: RoutingEvent[]

beforeAll(async () => {
  sandbox = await startSandbox({ replicas: 2 })
  await sql(sandbox.primary.url, 'create table item (name text); create table counter (value int)')
  await sql(sandbox.primary.url, 'insert into counter values (0)')
  link = await FaultyLink.to(sandbox.primary)
})
beforeEach(async () => {
  await sql(sandbox.primary.url, 'truncate item')
  pool = await open({ waitMs: 3000 })
})
afterEach(async () => {
  link.asked = () => {}
  // Whatever still waits for an answer ends with its connection.
  link.breakAll()
  await pool.end()
  await Promise.all(sandbox.replicas.map((replica) => replica.resume()))
})
afterAll(async () => {
  await link?.close()
  await sandbox?.stop()
})

const count = 'select count(*)::int as count from item'
const countIn = async (query: Promise<{ rows: { count?: number }[] }>) => (await query).rows[0]?.count

/** A pool whose reads are on replicas, which have all that there is. */
async function open(options: PoolOptions = {}): Promise<Pool> {
  const { username, password } = new URL(sandbox.primary.url)
  const hosts = [link, ...sandbox.replicas].map(({ host, port }) => `${host}:${port}`).join(',')
  const opened = new Pool({ connectionString: `postgresql://${username}:${password}@${hosts}/postgres`, ...options })
  events = []
  for (const kind of ['writes-uncertain', 'primary-away', 'primary-back'] as const) {
    opened.on(kind, (event) => void events.push(event))
  }
  opened.on('error', () => {})
  await untilOnReplicas(opened)
  return opened
}

const untilOnReplicas = (reading: Pool) =>
  untilSeen(
    'a read on a replica',
    () => reading.query(count).then(() => reading.explainRoute(count).reason),
    (reason) => reason === 'replica-has-it',
  )

/** The answer to a text that has these words is held, and the connection told on which it was sent. */
function holdAnswerTo(words: string): Promise<LinkedConnection> {
  return new Promise((resolve) => {
    link.asked = (bytes, connection) => {
      if (!bytes.includes(words)) return
      link.asked = () => {}
      connection.holdAnswers()
      resolve(connection)
    }
  })
}

const untilAnswered = (connection: LinkedConnection) =>
  untilSeen(
    'the answer of the server',
    () => connection.heldBytes,
    (bytes) => bytes > 0,
  )

const errorOf = (query: Promise<unknown>) =>
  query.then(
    () => undefined,
    (error: Error & { outcome?: string }) => error,
  )

describe('a write whose connection is cut before its answer has come', () => {
  it('W6: may have been committed, and is not sent again', async () => {
    await Promise.all(sandbox.replicas.map((replica) => replica.pause()))
    const sent = holdAnswerTo('committed')
    const failure = errorOf(pool.query(`insert into item values ('committed')`))
    const connection = await sent
    await untilAnswered(connection)
    connection.break()
    expect(await failure).toMatchObject({ outcome: 'unknown' })
    expect(events).toContainEqual(expect.objectContaining({ kind: 'writes-uncertain', reason: 'outcome-unknown' }))
    expect(await countIn(pool.query(count))).toBe(1)
    await pool.query(`insert into item values ('next')`)
    expect(await sql(sandbox.primary.url, count)).toEqual([{ count: 2 }])
  })

  it('W6: has its scope read from the primary until its backend is gone', async () => {
    const holder = new pg.Client({ connectionString: sandbox.primary.url })
    await holder.connect()
    try {
      await holder.query('begin')
      await holder.query('lock table item in share mode')
      const sent = holdAnswerTo('waiting')
      const failure = errorOf(pool.query(`insert into item values ('waiting')`))
      const connection = await sent
      const running = `select pid from pg_stat_activity where wait_event_type = 'Lock' and query like '%waiting%'`
      const [backend] = await waitUntil(
        async () => {
          const rows = await sql(sandbox.primary.url, running)
          return rows.length === 1 ? { done: true, value: rows } : { done: false, seen: 'none' }
        },
        { awaited: 'a backend that waits', deadline: Deadline.after(10_000) },
      )
      connection.break()
      expect(await failure).toMatchObject({ outcome: 'unknown' })
      // Whether it will commit, nobody knows: its backend waits and does not notice that nobody listens.
      await untilLooked(3)
      const { on } = await tracesOf(pool, async () => {
        for (let each = 0; each < 10; each += 1) expect(await countIn(pool.query(count))).toBe(0)
      })
      expect(on).toEqual({ primary: 10 })
      expect(await sql(sandbox.primary.url, running)).toEqual([backend])
      await Promise.all(sandbox.replicas.map((replica) => replica.pause()))
      await holder.query('commit')
      await untilRows(sandbox.primary.url, count, [{ count: 1 }])
      expect(await countIn(pool.query(count))).toBe(1)
      await Promise.all(sandbox.replicas.map((replica) => replica.resume()))
      await untilOnReplicas(pool)
      expect(await countIn(pool.query(count))).toBe(1)
    } finally {
      await holder.end()
    }
  })
})

/** Until the pool has asked so often whether a backend is still there. */
async function untilLooked(times: number): Promise<void> {
  let looks = 0
  link.asked = (bytes) => {
    if (bytes.includes('pg_stat_activity')) looks += 1
  }
  await untilSeen(
    'looks for the backend',
    () => looks,
    (seen) => seen >= times,
  )
}

describe('a write whose acknowledgement arrives when its server has crashed', () => {
  it('W3: is not vouched for by a connection that was opened after it was sent', async () => {
    await sql(sandbox.primary.url, `alter system set wal_writer_delay = '10s'`)
    await sql(sandbox.primary.url, 'select pg_reload_conf()')
    const value = 'select value from counter'
    const hasty = await open({ options: '-c synchronous_commit=off' })
    try {
      const sent = holdAnswerTo('value = 1000000')
      // What is committed and not flushed is in shared memory alone.
      const writing = hasty.query('update counter set value = 1000000')
      const connection = await sent
      await untilAnswered(connection)
      const probed = untilProbedAnew()
      const [backend] = await sql<{ pid: number }>(
        sandbox.primary.url,
        `select pid from pg_stat_activity where query like '%1000000%' and pid <> pg_backend_pid()`,
      )
      if (backend === undefined) throw new Error('the write has no backend')
      process.kill(backend.pid, 'SIGKILL')
      await probed
      connection.letGo()
      await writing
      const [there] = await sql<{ value: number }>(sandbox.primary.url, value)
      const { rows } = await hasty.query(value)
      expect(rows).toEqual([there])
      const told = events.some(({ kind }) => kind === 'writes-uncertain')
      expect({ isLost: there?.value !== 1_000_000, told }).toEqual({ isLost: true, told: true })
    } finally {
      await hasty.end()
      await sql(sandbox.primary.url, 'alter system reset wal_writer_delay')
      await sql(sandbox.primary.url, 'select pg_reload_conf()')
    }
  })
})

describe('a write whose position was not read when its server died', () => {
  it('T4: may be missed while no primary answers, which is told before, and is seen when it is back', async () => {
    const { primary, replicas } = sandbox
    await Promise.all(replicas.map((replica) => replica.cut()))
    try {
      const sent = holdAnswerTo('pg_current_wal_insert_lsn')
      await pool.query(`insert into item values ('on the primary alone')`)
      const connection = await sent
      await primary.kill()
      connection.break()
      await untilEvent('primary-away')
      // Where its position was known after all, no replica has it, and the read is refused when its wait is over.
      const seen = await countIn(pool.query(count)).catch(({ code }: { code: string }) => code)
      const told = events.map(({ kind }) => kind)
      if (seen === 0) expect(told.sort()).toEqual(['primary-away', 'writes-uncertain'])
      else expect(seen).toBe('primary-unknown')
      await primary.start()
      await untilEvent('primary-back')
      await untilSeen(
        'the names of the database',
        () => pool.query(count).then(() => pool.explainRoute(count).statement.kind),
        (kind) => kind === 'read',
      )
      expect(await countIn(pool.query(count))).toBe(1)
    } finally {
      await Promise.all(replicas.map((replica) => replica.mend()))
    }
  })
})

const untilEvent = (kind: RoutingEvent['kind']) =>
  untilSeen(
    kind,
    () => events.map((event) => event.kind),
    (kinds: RoutingEvent['kind'][]) => kinds.includes(kind),
  )

/** Until the pool watches the primary over a connection that it has not by now, and was answered there. */
function untilProbedAnew(): Promise<void> {
  const before = new Set(link.connections)
  const probes = new Map<LinkedConnection, number>()
  return new Promise((resolve) => {
    link.asked = (bytes, connection) => {
      if (before.has(connection) || !bytes.includes('pg_walfile_name')) return
      const times = (probes.get(connection) ?? 0) + 1
      probes.set(connection, times)
      // The second one is sent when the first was answered.
      if (times === 2) resolve()
    }
  })
}
