import type { Secret } from '@maestra/client/base/secret'
import pg from 'pg'
import { type Login, withConnection } from './connection.js'
import { scramVerifier } from './scram-verifier.js'
import { storedPasswordIs } from './stored-password.js'

/** What keeps standbys from logging in as the role, in words that follow its name; undefined when nothing does. */
export async function roleFault(login: Login, role: string, password: Secret | undefined): Promise<string | undefined> {
  const row = await withConnection(login, async (client) => {
    const found = await client.query<{ works: boolean; stored: string | null }>(
      'select rolcanlogin and rolreplication as works, rolpassword as stored from pg_authid where rolname = $1',
      [role],
    )
    return found.rows[0]
  })
  if (row === undefined) return 'does not exist'
  if (!row.works) return 'may not log in and replicate'
  const passwordIs = await storedPasswordIs(row.stored, role, password)
  return passwordIs === 'another' || passwordIs === 'md5' ? 'has another password than the passfile' : undefined
}

/** Makes the role, or lets an existing one log in and replicate. Its password is set only where one is given. */
export async function makeReplicationRole(login: Login, role: string, password: Secret | undefined): Promise<void> {
  const verifier = password === undefined ? undefined : await scramVerifier(password)
  await withConnection(login, async (client) => {
    const found = await client.query('select from pg_roles where rolname = $1', [role])
    const verb = found.rowCount === 1 ? 'alter' : 'create'
    const secret = verifier === undefined ? '' : ` password ${pg.escapeLiteral(verifier)}`
    await client.query(`${verb} role ${pg.escapeIdentifier(role)} with login replication${secret}`)
  })
}
