import { expect, it } from 'vitest'
import { sql } from '../../harness/sql.js'
import type { HealedShop } from './healed-shop.js'

export function describeReplicationRole(shop: () => HealedShop): void {
  const verifier = `select rolpassword from pg_authid where rolname = 'replicator'`

  it.each([
    ['has another password than the passfile', `alter role replicator password 'changed-by-hand'`],
    ['has no password', 'alter role replicator password null'],
    [
      'has its password as md5',
      () => `set password_encryption = 'md5'; alter role replicator password '${shop().passwords()[1]}'`,
    ],
    ['may not log in', 'alter role replicator nologin'],
    ['may not replicate', 'alter role replicator noreplication'],
  ])('%s: it gets what it lacks, and no password is shown', async (_title, change) => {
    await sql(shop().url('db1'), typeof change === 'string' ? change : change())
    expect(await shop().plannedSteps()).toMatchObject([{ kind: 'create-replication-role', node: 'db1' }])
    const run = await shop().apply()
    for (const password of shop().passwords()) expect(run.stdout).not.toContain(password)
    const [user, password] = ['replicator', shop().passwords()[1]]
    const url = shop()
      .url('db1')
      .replace(/\/\/.*@/, `//${user}:${password}@`)
    expect(await sql(url, 'select current_user')).toEqual([{ current_user: 'replicator' }])
    expect(await shop().ask('db1', verifier)).toMatch(/^SCRAM-SHA-256\$4096:/)
    await shop().expectHealed()
  })

  it('is as it should be: its password is left as it is', async () => {
    const before = await shop().ask('db1', verifier)
    expect((await shop().apply()).stdout).toBe('cluster shop: nothing to do\n')
    expect(await shop().ask('db1', verifier)).toBe(before)
  })
}
