import { Pool, type Statement } from '@maestra/client'
import { type Sandbox, startSandbox } from 'maestra'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { poolUrl } from '../../harness/pool-url.js'

let sandbox: Sandbox
let pool: Pool

beforeAll(async () => {
  sandbox = await startSandbox({ replicas: 2 })
  pool = new Pool({ connectionString: poolUrl(sandbox.nodes) })
  await pool.query('create table item (id int primary key, name text)')
})
afterAll(async () => {
  await pool?.end()
  await sandbox?.stop()
})

function proven(of: Pool): Statement | undefined {
  const { statement } = of.explainRoute('select count(*)::int as count from item')
  return statement.kind === 'read' ? statement : undefined
}

describe('pool', () => {
  it('sends writes to the primary and reads to the replicas, which have what was written', async () => {
    // Before the names of the database are known every read is on the primary.
    const { kind } = await vi.waitUntil(() => proven(pool), { timeout: 10_000 })
    expect(kind).toBe('read')
    for (let id = 0; id < 100; id++) {
      await pool.query('insert into item values ($1, $2)', [id, `name ${id}`])
      const { rows } = await pool.query('select count(*)::int as count from item')
      expect(rows[0].count).toBe(id + 1)
    }
    const { statements, byReason, nodes } = pool.stats()
    expect(Object.values(byReason).reduce((sum, count) => sum + count, 0)).toBe(statements)
    const onReplicas = nodes.filter(({ role }) => role === 'replica').map((node) => node.statements)
    expect(onReplicas.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(50)
  })
})
