import { randomBytes } from 'node:crypto'
import { dirname, join } from 'node:path'
import { Secret } from '@maestra/client/base/secret'
import { lookupPassword, type PgpassEntry, parsePgpass } from '@maestra/client/postgres/pgpass'
import { type DeclaredCluster, type DeclaredNode, primaryOf, superuser } from '../cluster/declared-cluster.js'
import { passfileLines } from '../cluster/node-configuration.js'
import type { PasswordsObservation } from '../cluster/observation.js'
import { findUserPassword } from './passfile-of-user.js'
import type { Site } from './site.js'

/**
 * The passwords that this cluster's passfile holds; for the superuser, where the passfile has none, PGPASSWORD or what
 * the user's own password file has.
 */
export async function observePasswords(
  site: Pick<Site, 'host' | 'env'>,
  cluster: DeclaredCluster,
): Promise<PasswordsObservation> {
  const controller = site.host
  const entries = parsePgpass((await controller.files.readText(cluster.passfile)) ?? '')
  const [ofSuperuser, ofReplication] = usersOf(cluster).map((user) => entriesOf(entries, cluster, user))
  const ofUser = ofSuperuser?.password === undefined ? await findUserPassword(site, cluster) : undefined
  const superuserPassword = ofSuperuser?.password ?? ofUser?.password
  const replication = ofReplication?.password
  const without = new Set([
    ...(superuserPassword === undefined ? [] : (ofSuperuser?.missing ?? [])),
    ...(replication === undefined ? [] : (ofReplication?.missing ?? [])),
  ])
  return {
    superuser: superuserPassword,
    replication,
    nodesWithout: [...without].map((node) => node.name),
    ignoredPassfile: ofUser?.ignored,
  }
}

/**
 * Adds what is missing to the passfile: new passwords where it holds none, and lines for nodes that have none. PGPASSWORD
 * and the user's own password file have the password of a server that exists; a new cluster never gets what happens to
 * stand there.
 */
export async function completePassfile(site: Site, cluster: DeclaredCluster): Promise<void> {
  const controller = site.host
  // Bytes: what others wrote need not be UTF-8, and stays as it is.
  const before = (await controller.files.readBytes(cluster.passfile)) ?? Buffer.alloc(0)
  const entries = parsePgpass(before.toString('utf8'))
  const exists = (await controller.files.stat(join(primaryOf(cluster).data, 'PG_VERSION'))) !== undefined
  const outside = exists ? (await findUserPassword(site, cluster)).password : undefined
  const added = usersOf(cluster)
    .map((user) => {
      const { password, missing } = entriesOf(entries, cluster, user)
      return passfileLines(missing, user, password ?? (user === superuser ? outside : undefined) ?? newPassword())
    })
    .join('')
  if (added === '') return
  const separator = before.length === 0 || before.at(-1) === 0x0a ? '' : '\n'
  await controller.files.makeDirectory(dirname(cluster.passfile), { mode: 0o755 })
  await controller.files.write(cluster.passfile, Buffer.concat([before, Buffer.from(separator + added)]), {
    mode: 0o600,
  })
}

/** Replication on trust asks for no password, so none is made. */
function usersOf({ replication }: DeclaredCluster): readonly string[] {
  return replication.authentication === 'trust' ? [superuser] : [superuser, replication.role]
}

/** A user's password, which is one for the whole cluster, and the nodes that have no line with it. */
function entriesOf(
  entries: readonly PgpassEntry[],
  cluster: DeclaredCluster,
  user: string,
): { readonly password?: Secret; readonly missing: readonly DeclaredNode[] } {
  const database = user === superuser ? superuser : 'replication'
  const find = ({ host, port }: DeclaredNode) => lookupPassword(entries, { host, port: String(port), database, user })
  // The file is this cluster's: after a node got another port, what it holds for the user is still right.
  const found = find(primaryOf(cluster)) ?? entries.find((entry) => entry.user === user)?.password
  const missing = cluster.nodes.filter((node) => find(node) === undefined)
  return found === undefined ? { missing } : { password: new Secret(found), missing }
}

/** 24 characters of base64url, 144 bits; ASCII, so that no server or client prepares it in its own way. */
export function newPassword(): Secret {
  return new Secret(randomBytes(18).toString('base64url'))
}
