// @ts-check
// node bench/pool/load-process.js <pg | maestra | split> <url> <options>: a process of load.js. It has one pool, does what it is ordered
// to do through it, and says what that took.
import pg from 'pg'
import { Pool } from '../../packages/client/dist/index.js'
import { counterCount, orderCount } from './servers.js'
import { SplitPools } from './split-pools.js'

/**
 * @typedef {{ readonly kind: 'closed', readonly concurrent: number, readonly ms: number, readonly writeShare: number }} ClosedOrder
 *   So many callers, each of which sends its next statement when the one before was answered.
 * @typedef {{ readonly kind: 'open', readonly writesPerS: number, readonly readsPerS: number, readonly ms: number, readonly scope: 'pool' | 'request' }} OpenOrder
 *   Statements that come whether or not others were answered. In the scope of a request each read is one of what its session just wrote.
 * @typedef {ClosedOrder | OpenOrder} Order
 *
 * @typedef {object} Measured
 * @property {number} statements
 * @property {number} ms
 * @property {number} cpuUs of this process, for each statement
 * @property {number} p50 of the statements of a closed order, of the reads of an open one, in milliseconds
 * @property {number} p99
 * @property {number} mean
 * @property {number} stale reads that missed what had been acknowledged when they were issued
 * @property {number} onReplicas the share of the reads
 * @property {Readonly<Record<string, number>>} byReason
 */

const [, , name = '', connectionString = '', options = '{}'] = process.argv
const config = { connectionString, max: 10, idleTimeoutMillis: 0, ...JSON.parse(options) }
const pools = { pg: pg.Pool, maestra: Pool, split: SplitPools }
/** @type {pg.Pool} */
const pool = /** @type {any} */ (new pools[/** @type {keyof typeof pools} */ (name)](config))
const routing = pool instanceof Pool ? pool : undefined

const selectOrder = 'select id, customer, total from orders where id = $1'
const updateOrder = 'update orders set total = total + 1, changed_at = now() where id = $1'
const insertPayment = 'insert into payment (order_id, amount) values ($1, $2)'
const selectCounter = 'select value from counter where id = $1'
const updateCounter = 'update counter set value = value + 1 where id = $1 returning value'

const replicaReasons = ['replica-has-it', 'replica-observed', 'replica-waited-for']

/** What was acknowledged to this process last, by counter. */
const acknowledged = new Float64Array(counterCount + 1)

process.on('message', (order) => void obey(/** @type {Order} */ (order)))
process.on('disconnect', () => void pool.end().finally(() => process.exit()))

/** @param {Order} order */
async function obey(order) {
  const before = routing?.stats()
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  const { latencies, statements, stale } = order.kind === 'closed' ? await closed(order) : await open(order)
  const ms = performance.now() - startedAt
  const { user, system } = process.cpuUsage(cpu)
  const sorted = Float64Array.from(latencies).sort()
  /** @type {Measured} */
  const measured = {
    statements,
    ms,
    cpuUs: (user + system) / statements,
    p50: sorted[Math.floor(sorted.length * 0.5)] ?? Number.NaN,
    p99: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN,
    mean: sorted.reduce((sum, each) => sum + each, 0) / sorted.length,
    stale,
    ...routedSince(before, order.kind === 'closed' ? statements * (1 - order.writeShare) : sorted.length),
  }
  process.send?.(measured)
}

/** @param {ClosedOrder} order */
async function closed({ concurrent, ms, writeShare }) {
  /** @type {number[]} */
  const latencies = []
  const endAt = performance.now() + ms
  await Promise.all(
    Array.from({ length: concurrent }, async () => {
      for (let now = performance.now(); now < endAt; ) {
        const id = any(orderCount)
        if (Math.random() >= writeShare) await pool.query(selectOrder, [id])
        else if (Math.random() < 0.5) await pool.query(updateOrder, [id])
        else await pool.query(insertPayment, [id, 1])
        const after = performance.now()
        latencies.push(after - now)
        now = after
      }
    }),
  )
  return { latencies, statements: latencies.length, stale: 0 }
}

/** @param {OpenOrder} order */
async function open({ writesPerS, readsPerS, ms, scope }) {
  /** @type {number[]} */
  const latencies = []
  let stale = 0
  let statements = 0
  const write = async (id = any(counterCount)) => {
    const { rows } = await pool.query(updateCounter, [id])
    statements += 1
    acknowledged[id] = Math.max(acknowledged[id] ?? 0, Number(rows[0].value))
    return Number(rows[0].value)
  }
  /** @param {number} id @param {number} least */
  const read = async (id, least) => {
    const issuedAt = performance.now()
    const { rows } = await pool.query(selectCounter, [id])
    latencies.push(performance.now() - issuedAt)
    statements += 1
    if (Number(rows[0].value) < least) stale += 1
  }
  const inPool = async (id = any(counterCount)) => await read(id, acknowledged[id] ?? 0)
  const inRequest = async (id = any(counterCount)) => {
    const request = async () => await read(id, await write(id))
    await (routing === undefined ? request() : routing.session(request))
  }
  const isRequest = scope === 'request'
  await Promise.all([
    arrivals(isRequest ? writesPerS - readsPerS : writesPerS, ms, () => write()),
    arrivals(readsPerS, ms, () => (isRequest ? inRequest() : inPool())),
  ])
  return { latencies, statements, stale }
}

/**
 * Starts the work at moments that know nothing of each other (Poisson), as exactly as timers are: to the millisecond. Resolves
 * when all of it has ended. @param {number} perS @param {number} ms @param {() => Promise<unknown>} work
 */
async function arrivals(perS, ms, work) {
  if (perS <= 0) return
  /** @type {Promise<unknown>[]} */
  const running = []
  const pauseMs = () => (-Math.log(1 - Math.random()) * 1000) / perS
  const startedAt = performance.now()
  let next = startedAt + pauseMs()
  while (next < startedAt + ms) {
    await new Promise((resolve) => setTimeout(resolve, next - performance.now()))
    for (const now = performance.now(); next <= now; next += pauseMs()) running.push(work())
  }
  await Promise.all(running)
}

/** @param {number} count */
function any(count) {
  return 1 + Math.floor(Math.random() * count)
}

/** @param {ReturnType<Pool['stats']> | undefined} before @param {number} reads */
function routedSince(before, reads) {
  const now = routing?.stats()
  if (before === undefined || now === undefined) return { onReplicas: 0, byReason: {} }
  /** @type {Record<string, number>} */
  const byReason = {}
  /** @type {Record<string, number>} */
  const earlier = before.byReason
  for (const [reason, count] of Object.entries(now.byReason)) {
    const since = count - (earlier[reason] ?? 0)
    if (since > 0) byReason[reason] = since
  }
  const onReplicas = replicaReasons.reduce((sum, reason) => sum + (byReason[reason] ?? 0), 0)
  return { onReplicas: onReplicas / reads, byReason }
}
