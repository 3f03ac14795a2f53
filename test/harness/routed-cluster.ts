import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import type pg from 'pg'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { Pool, type PoolOptions, type RoutingEvent } from '../../packages/client/src/index.js'
import type { Sandbox } from '../../packages/maestra/src/index.js'
import { poolUrl } from './pool-url.js'
import { sql, untilRows } from './sql.js'
import { startServers } from './start-servers.js'

type ClusterOptions = {
  /** What is run on the primary before the first test. */
  readonly schema: string
  readonly parameters?: Readonly<Record<string, string>>
}

/**
 * A cluster for the tests of a file, or of one describe: it is there before the first of them, and after each its pools
 * end and its replicas go on with what the test had them stand still for.
 */
export function routedCluster({ schema, parameters = {} }: ClusterOptions): RoutedCluster {
  const cluster = new RoutedCluster()
  beforeAll(() => cluster.start({ schema, parameters }))
  afterEach(async () => {
    await cluster.endPools()
    await cluster.resumeReplicas()
  })
  afterAll(() => cluster.stop())
  return cluster
}

/** A primary and two replicas, and pools on them. Replay can be made to stand still: then what is read there is certainly old. */
export class RoutedCluster {
  #sandbox: Sandbox | undefined
  readonly #pools: Pool[] = []

  /** Resolves when the replicas have the schema. */
  async start({ schema, parameters = {} }: ClusterOptions): Promise<void> {
    this.#sandbox = await startServers({ replicas: 2, parameters })
    await this.onPrimary(schema)
    await this.settle()
  }

  get sandbox(): Sandbox {
    if (this.#sandbox === undefined) throw new Error('the servers of this cluster were not started')
    return this.#sandbox
  }

  /** Behind the back of every pool. */
  async onPrimary<R extends Record<string, unknown> = Record<string, unknown>>(text: string): Promise<readonly R[]> {
    return await sql<R>(this.sandbox.primary.url, text)
  }

  /** A pool that opens no connection before its first statement. What it tells is kept in `events`. */
  makePool(options: PoolOptions = {}, events: RoutingEvent[] = []): Pool {
    const where = options.host === undefined ? { connectionString: poolUrl(this.sandbox.nodes) } : {}
    const pool = new Pool({ ...where, ...options })
    this.#pools.push(pool)
    const { emit } = pool
    pool.emit = function (this: Pool, kind: string | symbol, ...told: unknown[]) {
      const [event] = told
      if (typeof event === 'object' && event !== null && 'kind' in event) events.push(event as RoutingEvent)
      return Reflect.apply(emit, this, [kind, ...told])
    } as Pool['emit']
    return pool
  }

  /** One that knows its servers and the names of the database: it proves reads, and each replica has answered one. */
  async openPool(options: PoolOptions = {}, events: RoutingEvent[] = []): Promise<Pool> {
    const pool = this.makePool(options, events)
    await this.untilRouting(pool)
    return pool
  }

  /** Reads until each replica has answered a read of that pool since this was called. */
  async untilRouting(pool: Pool): Promise<void> {
    const before = new Map(pool.stats().nodes.map(({ address, statements }) => [address, statements]))
    await waitUntil(
      async () => {
        await pool.query('select count(*) from pg_catalog.pg_class')
        const answering = pool
          .stats()
          .nodes.filter(
            ({ role, address, statements }) => role === 'replica' && statements > (before.get(address) ?? 0),
          )
        if (answering.length >= this.sandbox.replicas.length) return { done: true, value: undefined }
        return { done: false, seen: JSON.stringify(pool.stats()) }
      },
      { awaited: 'a read on each replica', deadline: Deadline.after(20_000), everyMs: 1 },
    )
  }

  /** Options of a pool on the primary alone. */
  get singleServer(): pg.PoolConfig {
    const { username, password, hostname, port } = new URL(this.sandbox.primary.url)
    return { host: hostname, port: Number(port), user: username, password, database: 'postgres' }
  }

  /** From here on the replicas show nothing new. */
  async pauseReplicas(): Promise<void> {
    await Promise.all(this.sandbox.replicas.map((replica) => replica.pause()))
  }

  async resumeReplicas(): Promise<void> {
    // One that a test has promoted replays nothing that could go on.
    const text = 'select pg_wal_replay_resume() where pg_is_in_recovery()'
    await Promise.all(this.sandbox.replicas.map(({ url }) => sql(url, text)))
  }

  /** The replicas have all that there is, and go on. */
  async settle(): Promise<void> {
    const [row] = await this.onPrimary('select pg_current_wal_lsn()::text as lsn')
    await this.resumeReplicas()
    for (const { url } of this.sandbox.replicas) {
      await untilRows(url, `select pg_last_wal_replay_lsn() >= '${row?.['lsn']}' as has`, [{ has: true }])
    }
  }

  async endPools(): Promise<void> {
    await Promise.all(this.#pools.splice(0).map((pool) => (pool.ending ? undefined : pool.end())))
  }

  async stop(): Promise<void> {
    await this.endPools()
    await this.#sandbox?.stop()
  }
}
