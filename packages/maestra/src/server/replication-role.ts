import type { Secret } from '@maestra/client/base/secret'
import pg from 'pg'
import { type Login, withConnection } from './connection.js'
import { scramVerifier } from './scram-verifier.js'

/** Whether the role may log in and replicate. */
export async function hasReplicationRole(login: Login, role: string): Promise<boolean> {
  return await withConnection(login, async (client) => {
    const found = await client.query('select from pg_roles where rolname = $1 and rolcanlogin and rolreplication', [
      role,
    ])
    return found.rowCount === 1
  })
}

/** Makes the role, or lets an existing one log in and replicate. Its password is set only where one is given. */
export async function makeReplicationRole(login: Login, role: string, password: Secret | undefined): Promise<void> {
  await withConnection(login, async (client) => {
    const found = await client.query('select from pg_roles where rolname = $1', [role])
    const verb = found.rowCount === 1 ? 'alter' : 'create'
    const secret = password === undefined ? '' : ` password ${pg.escapeLiteral(scramVerifier(password))}`
    await client.query(`${verb} role ${pg.escapeIdentifier(role)} with login replication${secret}`)
  })
}
