import { join, resolve } from 'node:path'
import { messageOf } from '@maestra/client/base/error'
import { Secret } from '@maestra/client/base/secret'
import { lookupPassword, parsePgpass } from '@maestra/client/postgres/pgpass'
import { type DeclaredCluster, primaryOf, superuser } from '../cluster/declared-cluster.js'
import type { Host } from '../host/host.js'
import type { Site } from './site.js'

/** The superuser's password by what the user has told every client of PostgreSQL. */
export type UserPassword = {
  readonly password: Secret | undefined
  /** What is wrong with the user's password file, so that it says nothing although it is there. */
  readonly ignored: string | undefined
}

/**
 * PGPASSWORD, then the first line that fits a node in the user's password file, as libpq has it. Both come from the
 * variables of the site alone: none of them, no password.
 */
export async function findUserPassword(
  { host, env }: Pick<Site, 'host' | 'env'>,
  cluster: DeclaredCluster,
): Promise<UserPassword> {
  if (env['PGPASSWORD']) return { password: new Secret(env['PGPASSWORD']), ignored: undefined }
  const path = userPassfile(env)
  if (path === undefined) return { password: undefined, ignored: undefined }
  const read = await readUserPassfile(host, path)
  return typeof read === 'string'
    ? { password: passwordIn(read, cluster), ignored: undefined }
    : { password: undefined, ignored: read.ignored }
}

/** PGPASSFILE stands instead of ~/.pgpass, also when no file is there. */
function userPassfile(env: Site['env']): string | undefined {
  if (env['PGPASSFILE']) return resolve(env['PGPASSFILE'])
  return env['HOME'] ? join(env['HOME'], '.pgpass') : undefined
}

/**
 * Its content; empty where no file is. Links are followed, as by libpq: what they lead to is only read, and its mode is
 * looked at.
 */
async function readUserPassfile({ files }: Host, path: string): Promise<string | { readonly ignored: string }> {
  try {
    const real = await files.realPath(path)
    const found = real === undefined ? undefined : await files.stat(real)
    if (real === undefined || found === undefined) return ''
    if (found.kind !== 'file') return { ignored: `${path} is ignored, as it is no plain file` }
    if (found.mode % 0o100 !== 0) {
      return { ignored: `${path} is ignored, as others than its owner may use it: chmod 0600 ${path}` }
    }
    return (await files.readText(real)) ?? ''
  } catch (error) {
    return { ignored: messageOf(error) }
  }
}

/** The primary's password first: it is one for the whole cluster. */
function passwordIn(text: string, cluster: DeclaredCluster): Secret | undefined {
  const entries = parsePgpass(text)
  for (const { host, port } of [primaryOf(cluster), ...cluster.nodes]) {
    const found = lookupPassword(entries, { host, port, database: superuser, user: superuser })
    if (found !== undefined) return new Secret(found)
  }
  return undefined
}
