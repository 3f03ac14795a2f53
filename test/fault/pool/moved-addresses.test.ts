import { afterEach, describe, expect, it } from 'vitest'
import { Pool } from '../../../packages/client/src/index.js'
import { LinkedServers } from '../../harness/linked-servers.js'
import { sql, untilRows } from '../../harness/sql.js'

let servers: LinkedServers | undefined
let pool: Pool | undefined

afterEach(async () => {
  await pool?.end()
  await servers?.end()
})

describe('an address that leads to another server, while the former one goes on', () => {
  it('T6: has writes on the one that it leads to, and reads that see them, although the pool still watches the former one', async () => {
    servers = await LinkedServers.start()
    const { nodes, links, sandbox } = servers
    const [db1, db2, db3] = nodes
    await sql(db1.url, 'insert into counter select id, 0 from generate_series(1, 20) id')
    const { username, password } = new URL(db1.url)
    // The address of the primary, and that of one replica: nobody watches the one that is promoted.
    pool = new Pool({
      connectionString: `postgresql://${username}:${password}@${servers.addressOf(0)},${servers.addressOf(2)}/postgres`,
    })
    const write = (id: number, value: number) => pool?.query('update counter set value = $2 where id = $1', [id, value])
    const readValue = async (id: number) =>
      (await pool?.query('select value from counter where id = $1', [id]))?.rows[0].value
    for (let value = 1; value <= 20; value += 1) {
      await write(1, value)
      expect(await readValue(1)).toBe(value)
    }
    await sandbox.promote('db2')
    await untilRows(db3.url, 'select pg_is_in_recovery() as is_standby', [{ is_standby: true }])
    links[0].lead(db2)
    const ids = Array.from({ length: 20 }, (_each, at) => at + 1)
    const isTold = new Promise((resolve) => void pool?.once('primary-changed', resolve))
    // More at a time than there are connections: others are opened, and lead to the new primary.
    await Promise.all(ids.map((id) => write(id, 100)))
    await isTold
    for (let value = 101; value <= 140; value += 1) {
      await Promise.all(ids.map((id) => write(id, value)))
      expect(new Set(await Promise.all(ids.map(readValue)))).toEqual(new Set([value]))
    }
    expect(await sql(db2.url, 'select distinct value from counter')).toEqual([{ value: 140 }])
    expect(await sql(db1.url, 'select max(value) as most from counter')).not.toEqual([{ most: 140 }])
  })
})
