// @ts-check
// Runs QUERIES statements through a pool and prints what the heap held after a tenth of them and after all, in bytes.
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

let next = 0
/** @param {number} until */
async function run(until) {
  const one = async () => {
    while (next < until) await statement(next++)
  }
  await Promise.all(Array.from({ length: 32 }, one))
}

await run(queries / 10)
const early = heap()
await run(queries)
const late = heap()
const { statements, nodes } = pool.stats()
await pool.end()
console.log(JSON.stringify({ early, late, statements, nodes: nodes.map((node) => node.statements) }))
