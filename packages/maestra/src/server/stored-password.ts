import { createHash } from 'node:crypto'
import type { Secret } from '@maestra/client/base/secret'
import type { ReplicationRole } from '../cluster/observation.js'
import { scramVerifier } from './scram-verifier.js'

/** More iterations than this, of which one password takes seconds, are not computed for a look. */
const mostIterations = 500_000

/**
 * Compares what pg_authid stores for a role with the password that is known here, by the computation that the server would
 * do: no connection of the role is needed, and none of the few that may replicate is taken.
 */
export async function storedPasswordIs(
  stored: string | null,
  role: string,
  password: Secret | undefined,
): Promise<ReplicationRole['passwordIs']> {
  // PostgreSQL and this one would prepare other characters in different ways.
  if (password === undefined || !/^[\x20-\x7e]*$/.test(password.reveal())) return 'unknown'
  if (stored === null) return 'another'
  if (stored.startsWith('md5')) return stored === md5Of(role, password) ? 'md5' : 'another'
  const [, iterations, salt] = /^SCRAM-SHA-256\$(\d+):([^$]+)\$/.exec(stored) ?? []
  if (iterations === undefined || salt === undefined || Number(iterations) > mostIterations) return 'unknown'
  const expected = await scramVerifier(password, Buffer.from(salt, 'base64'), Number(iterations))
  return stored === expected ? 'known' : 'another'
}

function md5Of(role: string, password: Secret): string {
  return `md5${createHash('md5').update(password.reveal()).update(role).digest('hex')}`
}
