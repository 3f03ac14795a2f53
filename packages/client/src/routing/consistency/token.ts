import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Secret } from '../../base/secret.js'
import { lsnOf } from '../../postgres/lsn.js'
import { timelineOf } from '../../postgres/timeline.js'
import type { Position } from './position.js'

/** System identifier, timeline and LSN, big-endian. */
const positionBytes = 20
const signatureBytes = 16
const unsignedCharacters = 27
const signedCharacters = 48
/** What is signed begins with it, so that a key which signs other things as well gives no tokens away. */
const purpose = 'maestra token 1\0'

/** Keys that tokens are signed with: the first one signs, each is taken, so that keys can be changed without a break. */
export type TokenKeys = readonly [Secret, ...Secret[]]

/** What a text from outside turned out to be. The reason completes "the token ...". */
export type DecodedToken =
  | { readonly kind: 'token'; readonly position: Position }
  | { readonly kind: 'invalid'; readonly reason: string }

/** base64url without padding: 27 characters, with a signature 48 (T1). @public */
export function encodeToken({ systemIdentifier, timeline, lsn }: Position, keys?: TokenKeys): string {
  const bytes = Buffer.alloc(positionBytes)
  bytes.writeBigUInt64BE(BigInt(systemIdentifier), 0)
  bytes.writeUInt32BE(timeline, 8)
  bytes.writeBigUInt64BE(lsn, 12)
  if (keys === undefined) return bytes.toString('base64url')
  return Buffer.concat([bytes, signatureOf(bytes, keys[0])]).toString('base64url')
}

/**
 * Reads a token of `encodeToken`; any other text is invalid, a reason and never an error. With keys only what one of them
 * signed is taken; without, only what is not signed.
 * @public
 */
export function decodeToken(text: string, keys?: TokenKeys): DecodedToken {
  const expected = keys === undefined ? unsignedCharacters : signedCharacters
  if (text.length !== expected) return { kind: 'invalid', reason: reasonOfLength(text.length, keys !== undefined) }
  const bytes = Buffer.from(text, 'base64url')
  // Buffer skips what is no base64url, and takes characters whose last bits are lost: one position has one text.
  if (bytes.toString('base64url') !== text) return { kind: 'invalid', reason: 'is not base64url' }
  const body = bytes.subarray(0, positionBytes)
  if (keys !== undefined && !isSignedByOneOf(body, bytes.subarray(positionBytes), keys)) {
    return { kind: 'invalid', reason: 'is not signed with a key that is known here' }
  }
  const timeline = body.readUInt32BE(8)
  if (timeline === 0) return { kind: 'invalid', reason: 'names timeline 0, which no server has' }
  const position = {
    systemIdentifier: String(body.readBigUInt64BE(0)),
    timeline: timelineOf(timeline),
    lsn: lsnOf(body.readBigUInt64BE(12)),
  }
  return { kind: 'token', position }
}

function reasonOfLength(characters: number, signed: boolean): string {
  if (signed && characters === unsignedCharacters) return 'is not signed'
  if (!signed && characters === signedCharacters) return 'is signed, and no key is known here'
  return `has ${characters} characters, not ${signed ? signedCharacters : unsignedCharacters}`
}

function signatureOf(body: Uint8Array, key: Secret): Buffer {
  return createHmac('sha256', key.reveal()).update(purpose).update(body).digest().subarray(0, signatureBytes)
}

/** Tries every key whatever the others say, each in constant time: how long it takes tells nothing. */
function isSignedByOneOf(body: Uint8Array, signature: Uint8Array, keys: TokenKeys): boolean {
  let signed = false
  for (const key of keys) signed = timingSafeEqual(signatureOf(body, key), signature) || signed
  return signed
}
