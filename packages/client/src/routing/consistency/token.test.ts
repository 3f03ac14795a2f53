import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Secret } from '../../base/secret.js'
import { lsnOf } from '../../postgres/lsn.js'
import { timelineOf } from '../../postgres/timeline.js'
import { decodeToken, encodeToken, type TokenKeys } from './token.js'

const anyPosition = fc.record({
  systemIdentifier: fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }).map(String),
  timeline: fc.integer({ min: 1, max: 0xffff_ffff }).map(timelineOf),
  lsn: fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }).map(lsnOf),
})
const anyKeys: fc.Arbitrary<TokenKeys> = fc
  .uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 3 })
  .map((texts) => texts.map((text) => new Secret(text)) as unknown as TokenKeys)
const position = { systemIdentifier: '7589123456789012345', timeline: timelineOf(3), lsn: lsnOf(0x16b374d848n) }

describe('T1: a token', () => {
  it('is 27 characters, signed 48, and always the same ones', () => {
    expect(encodeToken(position)).toBe('aVH7kzZ-X3kAAAADAAAAFrN02Eg')
    expect(encodeToken(position, [new Secret('key')])).toHaveLength(48)
    expect(encodeToken(position, [new Secret('key')]).slice(0, 26)).toBe('aVH7kzZ-X3kAAAADAAAAFrN02E')
  })

  it('comes back as it went, signed or not', () => {
    fc.assert(
      fc.property(anyPosition, fc.option(anyKeys, { nil: undefined }), (any, keys) => {
        const text = encodeToken(any, keys)
        expect(text).toMatch(/^[A-Za-z0-9_-]{1,64}$/)
        expect(decodeToken(text, keys)).toEqual({ kind: 'token', position: any })
      }),
    )
  })

  it('is taken while its key is among those that are known, and refused after', () => {
    const [old, next, other] = [new Secret('old'), new Secret('next'), new Secret('other')]
    const text = encodeToken(position, [old])
    expect(decodeToken(text, [next, old])).toEqual({ kind: 'token', position })
    expect(decodeToken(text, [next, other])).toEqual({
      kind: 'invalid',
      reason: 'is not signed with a key that is known here',
    })
  })

  it('is refused when any one bit of it was changed', () => {
    const keys: TokenKeys = [new Secret('key')]
    const bytes = Buffer.from(encodeToken(position, keys), 'base64url')
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes)
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      expect(decodeToken(changed.toString('base64url'), keys).kind).toBe('invalid')
    }
  })

  it.each([
    ['', undefined, 'has 0 characters, not 27'],
    ['aVIJvNl_UHkAAAADAAAAFrN02Eg', [new Secret('key')], 'is not signed'],
    ['aVIJvNl/UHkAAAADAAAAFrN02Eg', undefined, 'is not base64url'],
    // Its last bits are lost when it is read: another text for the same bytes.
    ['aVIJvNl_UHkAAAADAAAAFrN02Eh', undefined, 'is not base64url'],
    ['aVIJvNl_UHkAAAAAAAAAFrN02Eg', undefined, 'names timeline 0, which no server has'],
    [encodeToken(position, [new Secret('key')]), undefined, 'is signed, and no key is known here'],
  ] as const)('%j is invalid, with a reason', (text, keys, reason) => {
    expect(decodeToken(text, keys as TokenKeys | undefined)).toEqual({ kind: 'invalid', reason })
  })

  it('of any text is read or invalid, never an error', () => {
    const texts = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary-ascii', minLength: 27, maxLength: 27 }),
      fc.base64String(),
    )
    fc.assert(
      fc.property(texts, fc.option(anyKeys, { nil: undefined }), (text, keys) => {
        const decoded = decodeToken(text, keys)
        if (decoded.kind === 'token') expect(encodeToken(decoded.position, keys)).toBe(text)
        else expect(decoded.reason).not.toBe('')
      }),
    )
  })
})
