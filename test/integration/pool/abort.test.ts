import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Pool } from '../../../packages/client/src/index.js'
import { type Sandbox, startSandbox } from '../../../packages/maestra/src/index.js'
import { poolUrl } from '../../harness/pool-url.js'

let sandbox: Sandbox
let pool: Pool

beforeAll(async () => {
  sandbox = await startSandbox({ replicas: 1 })
  pool = new Pool({ connectionString: poolUrl(sandbox.nodes) })
  await pool.query('create table item (id int)')
})
afterAll(async () => {
  await pool?.end()
  await sandbox?.stop()
})

/** Runs for a minute unless it is cancelled. */
const endless = 'select count(*) from generate_series(1, 2000000000)'

async function running(text: string): Promise<number> {
  const { rows } = await pool.query(
    'select count(*)::int as count from pg_stat_activity where state = $1 and query = $2',
    ['active', text],
  )
  return rows[0].count
}

describe('an aborted signal', () => {
  it('ends nothing when it comes before: the statement is not sent', async () => {
    const reason = new Error('enough')
    const sent = pool.query({ text: 'insert into item values (1)', signal: AbortSignal.abort(reason) })
    await expect(sent).rejects.toMatchObject({ name: 'AbortError', cause: reason, outcome: 'not-started' })
    expect((await pool.query('select * from item')).rows).toEqual([])
  })

  it('cancels a read on its server, and the connection goes on', async () => {
    const aborting = new AbortController()
    const sent = pool.query({ text: endless, target: 'primary', signal: aborting.signal })
    await expect.poll(async () => await running(endless)).toBe(1)
    const before = pool.totalCount
    aborting.abort()
    await expect(sent).rejects.toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' })
    expect(await running(endless)).toBe(0)
    // Not closed; one more where the look came before its server's last word.
    expect(pool.totalCount).toBeGreaterThanOrEqual(before)
  })

  it('cancels a write, which says that it was rolled back', async () => {
    const aborting = new AbortController()
    const text = 'insert into item select generate_series(1, 2000000000)'
    const sent = pool.query({ text, signal: aborting.signal })
    await expect.poll(async () => await running(text)).toBe(1)
    aborting.abort()
    await expect(sent).rejects.toMatchObject({ name: 'AbortError', outcome: 'rolled-back' })
    expect((await pool.query('select count(*)::int as count from item')).rows).toEqual([{ count: 0 }])
  })
})
