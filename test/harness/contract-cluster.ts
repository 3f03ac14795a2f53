import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import { Pool, type PoolOptions, type RoutingEvent } from '../../packages/client/src/index.js'
import { type Sandbox, startSandbox } from '../../packages/maestra/src/index.js'
import { poolUrl } from './pool-url.js'
import { sql, untilRows } from './sql.js'

type Used = { readonly primary: number; readonly replica: number }

/** A primary and two replicas, whose replay can be made to stand still: then what is read there is certainly old. */
export class ContractCluster {
  readonly sandbox: Sandbox
  readonly #pools: Pool[] = []

  private constructor(sandbox: Sandbox) {
    this.sandbox = sandbox
  }

  static async start(parameters: Readonly<Record<string, string>> = {}): Promise<ContractCluster> {
    const cluster = new ContractCluster(await startSandbox({ replicas: 2, parameters }))
    await cluster.onPrimary('create table item (id serial primary key, name text unique)')
    await cluster.settle()
    return cluster
  }

  /** Behind the back of every pool. */
  async onPrimary(text: string) {
    return await sql(this.sandbox.primary.url, text)
  }

  /** A pool that knows by a first read who is who and what names there are. Its events are kept in `events`. */
  async pool(options: PoolOptions = {}, events: RoutingEvent[] = []): Promise<Pool> {
    const pool = new Pool({ connectionString: poolUrl(this.sandbox.nodes), ...options })
    this.#pools.push(pool)
    const { emit } = pool
    pool.emit = function (this: Pool, kind: string | symbol, ...told: unknown[]) {
      const [event] = told
      if (typeof event === 'object' && event !== null && 'kind' in event) events.push(event as RoutingEvent)
      return Reflect.apply(emit, this, [kind, ...told])
    } as Pool['emit']
    return pool
  }

  /** Until reads of that pool are on replicas: it knows the names of the database then. */
  async warm(pool: Pool): Promise<void> {
    await waitUntil(
      async () => {
        const { replica } = await used(pool, () => pool.query('select count(*) from item'))
        return replica > 0
          ? { done: true, value: undefined }
          : { done: false, seen: pool.explainRoute('select count(*) from item').reason }
      },
      { awaited: 'a read on a replica', deadline: Deadline.after(20_000), everyMs: 1 },
    )
  }

  async warmPool(options: PoolOptions = {}, events: RoutingEvent[] = []): Promise<Pool> {
    const pool = await this.pool(options, events)
    await this.warm(pool)
    return pool
  }

  /** From here on the replicas show nothing new, until `settle`. */
  async stop(): Promise<void> {
    for (const { url } of this.sandbox.replicas) {
      await sql(url, 'select pg_wal_replay_pause()')
      await untilRows(url, 'select pg_get_wal_replay_pause_state() as state', [{ state: 'paused' }])
    }
  }

  /** The replicas have all that there is. */
  async settle(): Promise<void> {
    const [row] = await this.onPrimary('select pg_current_wal_lsn()::text as lsn')
    for (const { url } of this.sandbox.replicas) {
      await sql(url, 'select pg_wal_replay_resume()')
      await untilRows(url, `select pg_last_wal_replay_lsn() >= '${row?.['lsn']}' as has`, [{ has: true }])
    }
  }

  async endPools(): Promise<void> {
    await Promise.all(this.#pools.splice(0).map((pool) => pool.end()))
  }

  async end(): Promise<void> {
    await this.endPools()
    await this.sandbox.stop()
  }
}

/** How many statements went where while the work was done. */
export async function used(pool: Pool, work: () => Promise<unknown>): Promise<Used> {
  const before = usedSoFar(pool)
  await work()
  const after = usedSoFar(pool)
  return { primary: after.primary - before.primary, replica: after.replica - before.replica }
}

function usedSoFar(pool: Pool): Used {
  let [primary, replica] = [0, 0]
  for (const { role, statements } of pool.stats().nodes) {
    if (role === 'replica') replica += statements
    else primary += statements
  }
  return { primary, replica }
}

export const onReplica = { primary: 0, replica: 1 }
export const onPrimary = { primary: 1, replica: 0 }
