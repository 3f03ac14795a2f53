// @ts-check
// Runs QUERIES statements through a pool and prints what the heap held after a tenth of them and after all, in bytes, how often more
// reads were under way on a replica than it had connections, and how long it took.
import { Pool } from '@maestra/client'

const queries = Number(process.env['QUERIES'])
const pool = new Pool({ connectionString: process.env['POOL_URL'] ?? '' })
const ids = 1000

/** @param {number} n */
async function statement(n) {
  const id = n % ids
  if (n % 10 === 0) await pool.query('update soak set n = n + 1 where id = $1', [id])
  // A session for one in a hundred, as a request would have it; texts that the classifier has not seen, too.
  else if (n % 100 === 1) await pool.session(() => pool.query('select n from soak where id = $1', [id]))
  else if (n % 100 === 2) await pool.query(`select n, ${n} as told from soak where id = ${id}`)
  else await pool.query('select n from soak where id = $1', [id])
}

function heap() {
  globalThis.gc?.()
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

let looks = 0
let sharing = 0
/** Whether reads share connections: more of them have one than there are. */
function look() {
  for (const { role, inFlight, waitingCount, totalCount } of pool.stats().nodes) {
    if (role !== 'replica') continue
    looks += 1
    if (inFlight - waitingCount > totalCount) sharing += 1
  }
}

let next = 0
/** @param {number} until */
async function run(until) {
  const one = async () => {
    while (next < until) {
      if (next % 100 === 0) look()
      await statement(next++)
    }
  }
  await Promise.all(Array.from({ length: 32 }, one))
}

const begunMs = performance.now()
await run(queries / 10)
const early = heap()
await run(queries)
const late = heap()
const perSecond = Math.round(queries / ((performance.now() - begunMs) / 1000))
const { statements, askedAlone, nodes } = pool.stats()
await pool.end()
const told = { early, late, statements, looks, sharing, perSecond, askedAlone }
console.log(JSON.stringify({ ...told, nodes: nodes.map((node) => node.statements) }))
