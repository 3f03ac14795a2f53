import { Deadline, type Look, waitUntil } from '@maestra/client/base/deadline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Pool, type PoolOptions, type PoolStatistics } from '../../../packages/client/src/index.js'
import type { Sandbox } from '../../../packages/maestra/src/index.js'
import { Counters, counterTable, type StaleRead } from '../../harness/counters.js'
import { FlappingReplay } from '../../harness/flapping-replay.js'
import { poolUrl } from '../../harness/pool-url.js'
import { complaintsOf } from '../../harness/server-log.js'
import { startServers } from '../../harness/start-servers.js'
import { TokenReader } from '../../harness/token-reader.js'

const writers = 16
/** Between two changes of a replica's replay. */
const readsAStep = 100

const update = 'update counter set value = $2 where id = $1'
const select = 'select value from counter where id = $1'

let sandbox: Sandbox
let replay: FlappingReplay
const counters = new Counters()

type Queryable = { query(text: string, values: readonly unknown[]): Promise<{ rows: { value?: number }[] }> }

const write = async (on: Queryable, id: number, value: number) => void (await on.query(update, [id, value]))
const read = async (on: Queryable, id: number) => (await on.query(select, [id])).rows[0]?.value

const onRead = (count: number) => {
  if (count % readsAStep === 0) replay.step()
}

async function withPool<T>(options: PoolOptions, work: (pool: Pool) => Promise<T>): Promise<T> {
  const pool = new Pool({ connectionString: poolUrl(sandbox.nodes), ...options })
  try {
    return await work(pool)
  } finally {
    await pool.end()
  }
}

function readsOnReplicas({ nodes }: PoolStatistics): number {
  return nodes.reduce((sum, { role, statements }) => sum + (role === 'replica' ? statements : 0), 0)
}

/** Writers and readers through one pool. */
function runOn(pool: Pool, reads: number, readFrom: Queryable = pool): Promise<readonly StaleRead[]> {
  return counters.run({
    writers,
    reads,
    seesOthers: true,
    write: (id, value) => write(pool, id, value),
    read: (id) => read(readFrom, id),
    onRead,
  })
}

type Run = () => Promise<readonly StaleRead[]>

/**
 * Runs once, and again while no read was stale and too few were on replicas: those that stood still are left alone for a
 * moment, and a machine that is quick does a whole run in less.
 */
async function runUntilUsed(onReplicas: () => number | Promise<number>, least: number, run: Run): ReturnType<Run> {
  const deadline = Deadline.after(20_000)
  let stale = await run()
  while (stale.length === 0 && (await onReplicas()) <= least && !deadline.passed()) stale = await run()
  return stale
}

/** No read may miss what was written before it by its own scope, however late the replicas are. `reads` is the sum of all forms. */
export function describeCausality({ reads }: { readonly reads: number }): void {
  describe(`${reads} reads of what was just written, on replicas whose replay is late, stands still and goes on`, () => {
    const share = (part: number) => Math.ceil(reads * part)

    beforeAll(async () => {
      sandbox = await startServers({ replicas: 2 })
      replay = await FlappingReplay.of(sandbox.replicas)
      await withPool({}, async (pool) => {
        await pool.query(counterTable)
        await pool.query(counters.fill(writers))
      })
    })
    afterAll(async () => {
      await replay?.end()
      await sandbox?.stop()
    })

    it('find stale ones when the check is switched off: the run would notice', async () => {
      await withPool({ consistency: 'eventual' }, async (pool) => {
        const look = async (): Promise<Look<void>> => {
          const { length } = await runOn(pool, share(0.02))
          return length > 0 ? { done: true, value: undefined } : { done: false, seen: 'none' }
        }
        await waitUntil(look, { awaited: 'a stale read', deadline: Deadline.after(30_000), everyMs: 0 })
      })
    })

    it('P: find none in the scope of the pool, at the level that it has by itself', async () => {
      await withPool({}, async (pool) => {
        const onReplicas = () => readsOnReplicas(pool.stats())
        expect(await runUntilUsed(onReplicas, share(0.04), () => runOn(pool, share(0.45)))).toEqual([])
        expect(onReplicas()).toBeGreaterThan(share(0.04))
      })
    })

    it('P: find none at the level strong, not even of what another pool wrote', async () => {
      await withPool({}, (writing) =>
        withPool({ consistency: 'strong' }, async (reading) => {
          const onReplicas = () => readsOnReplicas(reading.stats())
          const run: Run = () => runOn(writing, share(0.2), reading)
          expect(await runUntilUsed(onReplicas, share(0.01), run)).toEqual([])
          expect(onReplicas()).toBeGreaterThan(share(0.01))
        }),
      )
    })

    it('P: find none in the scope of a request', async () => {
      await withPool({}, async (pool) => {
        // A request is one write and one read: each is a session of its own.
        const seen: (number | undefined)[] = []
        const run: Run = () =>
          counters.run({
            writers,
            reads: share(0.1),
            seesOthers: false,
            write: (id, value) =>
              pool.session(async () => {
                await write(pool, id, value)
                seen[id] = await read(pool, id)
              }),
            read: async (id) => seen[id],
            onRead,
          })
        expect(await runUntilUsed(() => readsOnReplicas(pool.stats()), share(0.01), run)).toEqual([])
        expect(readsOnReplicas(pool.stats())).toBeGreaterThan(share(0.01))
      })
    })

    it('P: find none in a second process that was given the token of the write', async () => {
      const reader = new TokenReader(poolUrl(sandbox.nodes))
      try {
        await withPool({}, async (pool) => {
          const tokens: (string | undefined)[] = []
          const run: Run = () =>
            counters.run({
              writers,
              reads: share(0.1),
              seesOthers: false,
              write: (id, value) =>
                pool.session(async (session) => {
                  await write(pool, id, value)
                  tokens[id] = session.token()
                }),
              read: (id) => reader.read(tokens[id], id),
              onRead,
            })
          expect(await runUntilUsed(async () => readsOnReplicas(await reader.stats()), share(0.01), run)).toEqual([])
          expect(tokens.every((token) => token !== undefined)).toBe(true)
          expect(readsOnReplicas(await reader.stats())).toBeGreaterThan(share(0.01))
        })
      } finally {
        await reader.end()
      }
    })

    it('P: find none in clients of pool.connect()', async () => {
      await withPool({}, async (pool) => {
        const onClient = async <T>(work: (client: Queryable) => Promise<T>): Promise<T> => {
          const client = await pool.connect()
          try {
            return await work(client as unknown as Queryable)
          } finally {
            client.release()
          }
        }
        const run: Run = () =>
          counters.run({
            writers,
            reads: share(0.1),
            seesOthers: true,
            write: (id, value) => onClient((client) => write(client, id, value)),
            read: (id) => onClient((client) => read(client, id)),
            onRead,
          })
        expect(await runUntilUsed(() => readsOnReplicas(pool.stats()), share(0.01), run)).toEqual([])
        expect(readsOnReplicas(pool.stats())).toBeGreaterThan(share(0.01))
      })
    })

    it('leave no line of an error in the logs of the replicas', async () => {
      await replay.settle()
      expect(sandbox.replicas.flatMap((replica) => complaintsOf(sandbox, replica))).toEqual([])
    })
  })
}
