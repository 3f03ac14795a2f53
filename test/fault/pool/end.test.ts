import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import type { Pool, PoolOptions, RoutingEvent } from '../../../packages/client/src/index.js'
import type { SandboxNode } from '../../../packages/maestra/src/index.js'
import { FaultyLink } from '../../harness/faulty-link.js'
import { readyForQuery } from '../../harness/linked-connection.js'
import { poolUrl } from '../../harness/pool-url.js'
import { routedCluster } from '../../harness/routed-cluster.js'
import { untilRows } from '../../harness/sql.js'
import { untilSeen } from '../../harness/until-seen.js'

const cluster = routedCluster({
  schema: `create table item (id int primary key, value int not null);
    insert into item select id, id * 10 from generate_series(1, 1000) id;
    create table ledger (id int)`,
})

const byId = 'select value from item where id = $1'
/** So many times a thousand rows are made and counted. */
const slow = 'select count(*)::int as count from generate_series(1, $1::int) a, generate_series(1, 1000) b'

const frozen: SandboxNode[] = []
const links: FaultyLink[] = []

afterEach(async () => {
  await thawAll()
  await cluster.endPools()
  await Promise.all(links.splice(0).map((link) => link.close()))
})

async function freeze(...nodes: readonly SandboxNode[]): Promise<void> {
  frozen.push(...nodes)
  for (const node of nodes) await node.freeze()
}

async function thawAll(): Promise<void> {
  for (const node of frozen.splice(0)) await node.thaw()
}

function replicas(): readonly [SandboxNode, SandboxNode] {
  const [first, second] = cluster.sandbox.replicas
  if (first === undefined || second === undefined) throw new Error('there are not two replicas')
  return [first, second]
}

/** A pool that has read on each replica so many times at a time, with what it told. */
async function readingPool(atATime: number, options: PoolOptions = {}): Promise<{ pool: Pool; told: RoutingEvent[] }> {
  const told: RoutingEvent[] = []
  const pool = await cluster.openPool(options, told)
  for (let use = 0; use < 3; use += 1) {
    await pool.query(byId, [1])
    await pool.query(slow, [1])
  }
  await Promise.all(reads(pool, atATime))
  return { pool, told }
}

function reads(pool: Pool, count: number): readonly Promise<number>[] {
  return Array.from({ length: count }, (_each, at) => pool.query(byId, [1 + at]).then(({ rows }) => rows[0].value))
}

const values = (count: number) => Array.from({ length: count }, (_each, at) => 10 + at * 10)

/** What has happened, in its order. */
class Order {
  readonly happened: string[] = []

  note<T>(what: string, promise: Promise<T>): Promise<T> {
    const noted = promise.finally(() => void this.happened.push(what))
    noted.catch(() => {})
    return noted
  }
}

/** All sockets of the application's connections. */
function socketsOf(pool: Pool): readonly { readonly destroyed: boolean }[] {
  const sockets: { readonly destroyed: boolean }[] = []
  pool.on('connect', (client) => void sockets.push(client.connection.stream))
  return sockets
}

async function untilRunning({ url }: SandboxNode, text: string, count = 1): Promise<void> {
  const look = `select count(*)::int >= ${count} as running from pg_stat_activity
    where query like '${text}%' and state = 'active' and pid <> pg_backend_pid()`
  await untilRows(url, look, [{ running: true }])
}

const kinds = (told: readonly RoutingEvent[]) => told.map(({ kind }) => kind)

async function untilTold(told: readonly RoutingEvent[], kind: RoutingEvent['kind']): Promise<void> {
  await untilSeen(
    `event ${kind}`,
    () => kinds(told),
    (seen: string[]) => seen.includes(kind),
  )
}

describe.each([{ lanes: true }, { lanes: false }])('the end of a pool, with %j', (options) => {
  it('waits for no server when nothing is under way, and closes what leads to one that hangs', async () => {
    const pool = cluster.makePool(options)
    const sockets = socketsOf(pool)
    await cluster.untilRouting(pool)
    await Promise.all(reads(pool, 30))
    await freeze(cluster.sandbox.primary, ...replicas())
    await pool.end()
    expect(pool.totalCount).toBe(0)
    expect(sockets.length).toBeGreaterThan(1)
    await untilSeen(
      'all sockets closed',
      () => sockets.filter(({ destroyed }) => !destroyed).length,
      (open: number) => open === 0,
    )
  })

  // As many connections as there may be, and fewer: then some are being opened when it freezes.
  it.each([30, 1])(
    'has the reads under way on a replica that hangs answered by another one (%i at a time before)',
    async (atATime) => {
      const { pool, told } = await readingPool(atATime, options)
      const [first] = replicas()
      await freeze(first)
      const order = new Order()
      const reading = reads(pool, 60).map((read) => order.note('read', read))
      const ended = order.note('end', pool.end())
      expect(await Promise.all(reading)).toEqual(values(60))
      await ended
      expect(order.happened.indexOf('end')).toBe(60)
      expect(kinds(told)).toContain('node-ejected')
    },
  )

  it('has them answered by the primary when both replicas hang', async () => {
    const { pool } = await readingPool(30, options)
    await freeze(...replicas())
    const reading = Promise.all(reads(pool, 60))
    await pool.end()
    expect(await reading).toEqual(values(60))
  })

  it('rejects what no server can answer, and is over then', async () => {
    const { pool } = await readingPool(30, { ...options, waitMs: 500 })
    await freeze(cluster.sandbox.primary, ...replicas())
    const outcomes = reads(pool, 20).map((read) => read.catch((error) => error.code))
    await pool.end()
    expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['primary-unknown']))
  })

  it('has a read under way on a primary that hangs answered by a replica', async () => {
    const { pool } = await readingPool(1, { ...options, waitMs: 600_000 })
    await cluster.pauseReplicas()
    await pool.query('insert into ledger values (1)')
    const reading = pool.query(`${slow} where (select count(*) from ledger) >= 0`, [20_000])
    await untilRunning(cluster.sandbox.primary, slow)
    await freeze(cluster.sandbox.primary)
    await cluster.resumeReplicas()
    await pool.end()
    expect((await reading).rows[0].count).toBe(20_000_000)
    await thawAll()
  })

  it('has reads answered whose links are cut, and closes what leads to one that is held', async () => {
    const nodes = await Promise.all(cluster.sandbox.nodes.map((node) => FaultyLink.to(node)))
    links.push(...nodes)
    const { username, password } = new URL(cluster.sandbox.primary.url)
    const where = nodes.map(({ host, port }) => `${host}:${port}`).join(',')
    const connectionString = `postgresql://${username}:${password}@${where}/postgres`
    const { pool } = await readingPool(30, { ...options, connectionString })
    const [, cut, held] = nodes
    const reading = Promise.all(reads(pool, 60))
    held?.hold()
    cut?.cut()
    await pool.end()
    expect(await reading).toEqual(values(60))
  })
})

describe('a replica that hangs', () => {
  it('gets no connection that is opened for nobody: the reads that waited for one have gone elsewhere', async () => {
    const { pool } = await readingPool(1, { lanes: false })
    const [first] = replicas()
    await freeze(first)
    expect(await Promise.all(reads(pool, 60))).toEqual(values(60))
    await untilSeen(
      'no connection to it',
      () => pool.stats().nodes.find(({ ejected }) => ejected === 'hung')?.totalCount,
      (count: number | undefined) => count === 0,
    )
  })
})

describe('the end of a pool whose primary hangs', () => {
  it('waits for a write that was sent: when the primary goes on, it is answered', async () => {
    const { pool, told } = await readingPool(1)
    await freeze(cluster.sandbox.primary)
    const order = new Order()
    const writing = order.note('write', pool.query('insert into ledger values (2)'))
    const reading = order.note('read', pool.query({ text: byId, values: [1], consistency: 'eventual' }))
    const ended = order.note('end', pool.end())
    await untilTold(told, 'node-ejected')
    await reading
    expect(order.happened).toEqual(['read'])
    await thawAll()
    expect((await writing).rowCount).toBe(1)
    await ended
    expect(order.happened).toEqual(['read', 'write', 'end'])
  })

  it('waits for a client that is out until it is released', async () => {
    const { pool, told } = await readingPool(1)
    const client = await pool.connect()
    await client.query('begin')
    await freeze(cluster.sandbox.primary)
    const order = new Order()
    const ended = order.note('end', pool.end())
    await untilTold(told, 'node-ejected')
    expect(order.happened).toEqual([])
    client.release(true)
    await ended
    expect(pool.totalCount).toBe(0)
  })

  it('tells a write of a session that was acknowledged, and whose position nobody can ask for', async () => {
    const link = await FaultyLink.to(cluster.sandbox.primary)
    links.push(link)
    const { username, password } = new URL(cluster.sandbox.primary.url)
    const where = [link, ...replicas()].map(({ host, port }) => `${host}:${port}`).join(',')
    const told: RoutingEvent[] = []
    const connectionString = `postgresql://${username}:${password}@${where}/postgres`
    const pool = await cluster.openPool({ connectionString }, told)
    let isHeld = false
    link.alter = (bytes) => {
      if (isHeld || !bytes.includes('INSERT 0 1')) return bytes
      isHeld = true
      process.nextTick(() => link.hold())
      // The answer to the question for the position may stand behind it.
      return bytes.subarray(0, bytes.indexOf(readyForQuery, bytes.indexOf('INSERT 0 1')) + readyForQuery.length)
    }
    const writing = pool.session(() => pool.query('insert into ledger values (3)'))
    await untilSeen(
      'a write that was acknowledged',
      () => isHeld,
      (held: boolean) => held,
    )
    await pool.end()
    expect((await writing).rowCount).toBe(1)
    expect(kinds(told)).toContain('writes-uncertain')
  })
})

describe('a process', () => {
  it('ends behind pool.end, whatever hangs', async () => {
    const body = `import { Pool } from '@maestra/client'
      const pool = new Pool({ connectionString: process.env.POOL_URL, idleTimeoutMillis: 0 })
      const read = () => pool.query('${byId}', [1])
      for (let use = 0; use < 50; use += 1) await read()
      await Promise.all(Array.from({ length: 50 }, read))
      console.log('reading')
      await new Promise((resolve) => process.stdin.once('data', resolve))
      process.stdin.destroy()
      await pool.end()
      console.log('ended')`
    const cwd = fileURLToPath(new URL('.', import.meta.url))
    const env = { PATH: '/usr/bin:/bin', POOL_URL: poolUrl(cluster.sandbox.nodes) }
    const running = execFile(process.execPath, ['--input-type=module', '-e', body], { env, cwd, timeout: 30_000 })
    let said = ''
    running.stdout?.on('data', (text) => {
      said += text
    })
    await untilSeen(
      'it to read',
      () => said,
      (seen: string) => seen.includes('reading'),
    )
    await freeze(cluster.sandbox.primary, ...replicas())
    running.stdin?.write('go\n')
    const [code] = await once(running, 'exit')
    expect([code, said]).toEqual([0, 'reading\nended\n'])
  })
})
