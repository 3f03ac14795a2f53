import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { stopServer } from '../../harness/servers.js'
import { sql, untilRows } from '../../harness/sql.js'
import type { HealedShop } from './healed-shop.js'

export function describeFiles(shop: () => HealedShop): void {
  function edit(node: string, file: string, change: (text: string) => string): void {
    const path = join(shop().data(node), file)
    writeFileSync(path, change(readFileSync(path, 'utf8')))
  }

  it('lead to a wrong address of the right primary: they are written, and it streams', async () => {
    const port = `port=${shop().port('db1')}`
    edit('db2', 'maestra.conf', (text) => text.replace(port, 'port=1'))
    await sql(shop().url('db2'), 'select pg_reload_conf()')
    await untilRows(
      shop().url('db2'),
      `select count(*)::int as n from pg_stat_wal_receiver where status = 'streaming'`,
      [{ n: 0 }],
    )
    expect(await shop().kinds()).toEqual(['write-configuration', 'reload', 'await-streaming'])
    await shop().apply()
    await shop().expectHealed()
  })

  it('lack the lines that let the replica in: they are written, and it streams', async () => {
    edit('db1', 'pg_hba.conf', (text) => text.replace(/^# BEGIN maestra[\s\S]*^# END maestra.*\n/m, ''))
    await sql(shop().url('db1'), 'select pg_reload_conf()')
    await stopServer(shop().data('db2'))
    expect(await shop().kinds()).toEqual(['write-configuration', 'reload', 'start', 'await-streaming'])
    await shop().apply()
    await shop().expectHealed()
    const rules = `select count(*)::int from pg_hba_file_rules where 'replicator' = any (user_name)`
    expect(await shop().ask('db1', rules)).toBeGreaterThan(0)
  })
}
