import { Secret } from '@maestra/client/base/secret'
import { describe, expect, it } from 'vitest'
import { scramVerifier } from './scram-verifier.js'
import { storedPasswordIs } from './stored-password.js'

/** The example of RFC 7677, section 3, as pg_authid would hold it. */
const pencil =
  'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU='

describe('storedPasswordIs', () => {
  it.each([
    ['known', pencil, 'pencil'],
    ['another', pencil, 'pencil '],
    // select 'md5' || md5('pencil' || 'user')
    ['md5', 'md520c46e3762c864548e296b33c3406aa9', 'pencil'],
    ['another', 'md520c46e3762c864548e296b33c3406aa9', 'pen'],
    ['another', null, 'pencil'],
    ['unknown', pencil, 'péncil'],
    ['unknown', 'SCRAM-SHA-512$4096:W22ZaJ0SNY7soEsUEjb6gQ==$a:b', 'pencil'],
    ['unknown', pencil.replace('4096', '90000000'), 'pencil'],
  ])('says %s for %s and the password %s', async (expected, stored, password) => {
    expect(await storedPasswordIs(stored, 'user', new Secret(password))).toBe(expected)
  })

  it('says unknown where no password is known', async () => {
    expect(await storedPasswordIs(pencil, 'user', undefined)).toBe('unknown')
  })

  it('counts the iterations that the verifier names', async () => {
    const stored = await scramVerifier(new Secret('pencil'), Buffer.from('salt'), 10_000)
    expect(await storedPasswordIs(stored, 'user', new Secret('pencil'))).toBe('known')
  })
})
