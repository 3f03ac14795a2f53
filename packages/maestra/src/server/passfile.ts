import { randomBytes } from 'node:crypto'
import { dirname } from 'node:path'
import { Secret } from '@maestra/client/base/secret'
import { lookupPassword, parsePgpass } from '@maestra/client/postgres/pgpass'
import { type DeclaredCluster, primaryOf, superuser } from '../cluster/declared-cluster.js'
import { passfileLines } from '../cluster/node-configuration.js'
import type { PasswordsObservation } from '../cluster/observation.js'
import type { Site } from './site.js'

/** The passwords that this cluster's passfile holds; PGPASSWORD stands before it for the superuser, as in libpq. */
export async function observePasswords(
  { host: controller, env }: Pick<Site, 'host' | 'env'>,
  cluster: DeclaredCluster,
): Promise<PasswordsObservation> {
  const text = (await controller.files.readText(cluster.passfile)) ?? ''
  const entries = parsePgpass(text)
  const { host, port } = primaryOf(cluster)
  const lookup = (user: string, database: string): Secret | undefined => {
    // The file is this cluster's: after the primary got another port, what it holds for the user is still right.
    const found =
      lookupPassword(entries, { host, port: String(port), database, user }) ??
      entries.find((entry) => entry.user === user)?.password
    return found === undefined ? undefined : new Secret(found)
  }
  const fromEnvironment = env['PGPASSWORD']
  return {
    superuser: fromEnvironment ? new Secret(fromEnvironment) : lookup(superuser, superuser),
    replication: lookup(cluster.replication.role, 'replication'),
  }
}

/** Adds the passwords that are missing to the passfile and returns all of them. What is there stays. */
export async function completePassfile(site: Site, cluster: DeclaredCluster): Promise<Required<PasswordsObservation>> {
  const controller = site.host
  const found = await observePasswords(site, cluster)
  // Bytes: what others wrote need not be UTF-8, and stays as it is.
  const before = (await controller.files.readBytes(cluster.passfile)) ?? Buffer.alloc(0)
  const superuserPassword = found.superuser ?? newPassword()
  const replicationPassword = found.replication ?? newPassword()
  const added =
    (found.superuser === undefined ? passfileLines(cluster, superuser, superuserPassword) : '') +
    (found.replication === undefined ? passfileLines(cluster, cluster.replication.role, replicationPassword) : '')
  if (added !== '') {
    const separator = before.length === 0 || before.at(-1) === 0x0a ? '' : '\n'
    await controller.files.makeDirectory(dirname(cluster.passfile), { mode: 0o755 })
    await controller.files.write(cluster.passfile, Buffer.concat([before, Buffer.from(separator + added)]), {
      mode: 0o600,
    })
  }
  return { superuser: superuserPassword, replication: replicationPassword }
}

/** 24 characters of base64url, 144 bits; ASCII, so that no server or client prepares it in its own way. */
export function newPassword(): Secret {
  return new Secret(randomBytes(18).toString('base64url'))
}
