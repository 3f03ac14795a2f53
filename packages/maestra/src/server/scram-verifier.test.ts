import { createHash, createHmac } from 'node:crypto'
import { Secret } from '@maestra/client/base/secret'
import { describe, expect, it } from 'vitest'
import { scramVerifier } from './scram-verifier.js'

/** The example of RFC 7677, section 3: user `user`, password `pencil`. */
const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')
const clientFirstBare = 'n=user,r=rOprNGfwEbeRWgbNEkqO'
const serverFirst = 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096'
const clientFinalWithoutProof = 'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'
const clientProof = Buffer.from('dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=', 'base64')
const serverSignature = '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='
const authMessage = `${clientFirstBare},${serverFirst},${clientFinalWithoutProof}`

/** The form in which pg_authid keeps it. */
function partsOf(verifier: string) {
  const [, iterations, saltText, storedKey, serverKey] =
    /^SCRAM-SHA-256\$(\d+):([^$]+)\$([^:]+):(.+)$/.exec(verifier) ?? []
  return {
    iterations,
    salt: saltText,
    storedKey: Buffer.from(storedKey ?? '', 'base64'),
    serverKey: Buffer.from(serverKey ?? '', 'base64'),
  }
}

describe('scramVerifier', () => {
  it('accepts the proof of the client in the exchange of RFC 7677', async () => {
    const { storedKey } = partsOf(await scramVerifier(new Secret('pencil'), salt))
    const signature = createHmac('sha256', storedKey).update(authMessage).digest()
    const clientKey = clientProof.map((byte, index) => byte ^ (signature[index] ?? 0))
    expect(createHash('sha256').update(clientKey).digest('base64')).toBe(storedKey.toString('base64'))
  })

  it('signs as the server does in the exchange of RFC 7677', async () => {
    const { serverKey } = partsOf(await scramVerifier(new Secret('pencil'), salt))
    expect(createHmac('sha256', serverKey).update(authMessage).digest('base64')).toBe(serverSignature)
  })

  it('holds the number of iterations and the salt, as both sides need them', async () => {
    const { iterations, salt: written } = partsOf(await scramVerifier(new Secret('pencil'), salt))
    expect(iterations).toBe('4096')
    expect(written).toBe('W22ZaJ0SNY7soEsUEjb6gQ==')
  })

  it('takes another salt each time, so that equal passwords look different', async () => {
    const [one, other] = (
      await Promise.all([scramVerifier(new Secret('pencil')), scramVerifier(new Secret('pencil'))])
    ).map(partsOf)
    expect(one?.salt).not.toBe(other?.salt)
    expect(one?.storedKey).not.toEqual(other?.storedKey)
  })

  it('does not hold the password', async () => {
    expect(await scramVerifier(new Secret('pencil'))).not.toContain('pencil')
  })
})
