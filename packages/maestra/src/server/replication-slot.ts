import { type Login, withConnection } from './connection.js'

export async function hasPhysicalSlot(login: Login, slot: string): Promise<boolean> {
  return await withConnection(login, async (client) => {
    const found = await client.query(
      `select from pg_replication_slots where slot_name = $1 and slot_type = 'physical'`,
      [slot],
    )
    return found.rowCount === 1
  })
}

/** A physical slot that keeps WAL from this moment on. */
export async function makePhysicalSlot(login: Login, slot: string): Promise<void> {
  await withConnection(login, async (client) => {
    await client.query('select pg_create_physical_replication_slot($1, immediately_reserve => true)', [slot])
  })
}
