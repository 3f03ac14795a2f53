import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Sandbox, startSandbox } from 'maestra'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { poolUrl } from '../harness/pool-url.js'
import { sql } from '../harness/sql.js'

const queries = 1_000_000
/** What the heap may hold more after nine tenths of them: some bytes for each would be seen. */
const mayGrowBytes = 4_000_000

let sandbox: Sandbox

beforeAll(async () => {
  sandbox = await startSandbox({ replicas: 2 })
  await sql(sandbox.primary.url, 'create table soak as select id, 0 as n from generate_series(0, 999) as id')
  await sql(sandbox.primary.url, 'alter table soak add primary key (id)')
})
afterAll(async () => {
  await sandbox?.stop()
})

describe('a pool', () => {
  it(`holds no more memory after ${queries} statements than after a tenth of them`, {
    timeout: 1_200_000,
  }, async () => {
    const script = fileURLToPath(new URL('soak-process.js', import.meta.url))
    const env = { PATH: process.env['PATH'], QUERIES: String(queries), POOL_URL: poolUrl(sandbox.nodes) }
    const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', script], { env })
    console.log(stdout)
    const { early, late, statements, looks, sharing } = JSON.parse(stdout) as Record<
      'early' | 'late' | 'statements' | 'looks' | 'sharing',
      number
    >
    expect(statements).toBe(queries)
    // With a connection for each read it never happens.
    expect(sharing).toBeGreaterThan(looks / 10)
    expect(late - early).toBeLessThan(mayGrowBytes)
  })
})
