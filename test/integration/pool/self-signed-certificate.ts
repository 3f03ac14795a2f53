import { createSign, generateKeyPairSync } from 'node:crypto'

export type SelfSignedCertificate = { readonly certificate: string; readonly key: string }

/**
 * A certificate for 127.0.0.1 and localhost, valid from 2020 to 2049, and its key, both as PEM. Made here because openssl is not on
 * every machine, and Node.js makes keys but no certificates. The structure is RFC 5280, section 4.1, in DER.
 */
export function selfSignedCertificate(): SelfSignedCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = sequence(set(sequence(commonName, utf8String('localhost'))))
  const validity = sequence(utcTime('200101000000Z'), utcTime('491231235959Z'))
  const toBeSigned = sequence(
    context(0, integer(2)),
    integer(1),
    ecdsaWithSha256,
    name,
    validity,
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    context(3, sequence(basicConstraints(), subjectAltName())),
  )
  const signature = createSign('sha256').update(toBeSigned).sign(privateKey)
  const der = sequence(toBeSigned, ecdsaWithSha256, bitString(signature))
  const lines = der.toString('base64').replaceAll(/.{64}(?=.)/g, '$&\n')
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
  }
}

function encoded(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

const sequence = (...parts: readonly Uint8Array[]) => encoded(0x30, ...parts)
const set = (...parts: readonly Uint8Array[]) => encoded(0x31, ...parts)
const context = (number: number, part: Uint8Array) => encoded(0xa0 + number, part)
const integer = (value: number) => encoded(0x02, Buffer.from([value]))
const objectIdentifier = (hex: string) => encoded(0x06, Buffer.from(hex, 'hex'))
const utf8String = (text: string) => encoded(0x0c, Buffer.from(text))
const utcTime = (text: string) => encoded(0x17, Buffer.from(text))
const octetString = (part: Uint8Array) => encoded(0x04, part)
const bitString = (part: Uint8Array) => encoded(0x03, Buffer.from([0]), part)

/** 2.5.4.3 */
const commonName = objectIdentifier('550403')
/** 1.2.840.10045.4.3.2 */
const ecdsaWithSha256 = sequence(objectIdentifier('2a8648ce3d040302'))

/** 2.5.29.19, critical: it may sign, as it signs itself. */
function basicConstraints(): Buffer {
  const yes = encoded(0x01, Buffer.from([0xff]))
  return sequence(objectIdentifier('551d13'), yes, octetString(sequence(yes)))
}

/** 2.5.29.17: a DNS name and an address. */
function subjectAltName(): Buffer {
  const names = sequence(encoded(0x82, Buffer.from('localhost')), encoded(0x87, Buffer.from([127, 0, 0, 1])))
  return sequence(objectIdentifier('551d11'), octetString(names))
}
