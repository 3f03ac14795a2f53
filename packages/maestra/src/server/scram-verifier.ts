import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import type { Secret } from '@maestra/client/base/secret'

const defaultIterations = 4096
const stretch = promisify(pbkdf2)

/**
 * What PostgreSQL stores for a SCRAM-SHA-256 password (RFC 5803). `create role ... password` takes it in place of the
 * password, so that a server which logs its statements never logs one. For ASCII passwords: others would need SASLprep.
 */
export async function scramVerifier(
  password: Secret,
  salt: Buffer = randomBytes(16),
  iterations: number = defaultIterations,
): Promise<string> {
  const salted = await stretch(password.reveal(), salt, iterations, 32, 'sha256')
  const clientKey = createHmac('sha256', salted).update('Client Key').digest()
  const storedKey = createHash('sha256').update(clientKey).digest('base64')
  const serverKey = createHmac('sha256', salted).update('Server Key').digest('base64')
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${serverKey}`
}
