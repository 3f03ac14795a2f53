import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { Crc32c, crc32c, crc32cMemory } from './crc32c.js'

/** The definition, bit by bit. */
function slowly(bytes: Uint8Array): number {
  let crc = 0xffff_ffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return ~crc >>> 0
}

describe('crc32c', () => {
  // RFC 3720, appendix B.4, and the check value of the CRC catalogue.
  it.each([
    ['nothing', new Uint8Array(0), 0],
    ['123456789', Buffer.from('123456789'), 0xe3069283],
    ['32 zeros', new Uint8Array(32), 0x8a9136aa],
    ['32 ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
    ['32 ascending bytes', Uint8Array.from({ length: 32 }, (_, at) => at), 0x46dd794e],
    ['32 descending bytes', Uint8Array.from({ length: 32 }, (_, at) => 31 - at), 0x113fdb5c],
  ])('knows the checksum of %s', (_, bytes, expected) => {
    expect(crc32c(bytes)).toBe(expected)
  })

  it('gives what the definition gives, wherever the bytes lie in memory', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(9), (bytes, offset) => {
        const memory = new Uint8Array(offset + bytes.length + 3)
        memory.set(bytes, offset)
        return crc32c(memory.subarray(offset, offset + bytes.length)) === slowly(bytes)
      }),
    )
  })
})

describe('crc32c of long chunks', () => {
  const bytes = Uint8Array.from({ length: 300_000 }, (_, at) => (at * 2_654_435_761) >>> 13)

  it.each([6_687, 6_688, 6_689, 32_768, 131_071, 131_072, 131_073, 137_760, 300_000])(
    'gives what the definition gives for %i bytes, wherever they lie',
    (length) => {
      for (const from of [0, 1, 7]) {
        const chunk = bytes.subarray(from, from + length)
        expect(crc32c(chunk)).toBe(slowly(chunk))
      }
    },
  )

  it('notices every bit, and goes on from the chunk before', () => {
    const content = bytes.slice(0, 20_000)
    const whole = slowly(content)
    fc.assert(
      fc.property(fc.nat(content.length), (cut) => {
        const sum = new Crc32c().update(content.subarray(0, cut)).update(content.subarray(cut))
        return sum.value() === whole
      }),
    )
    fc.assert(
      fc.property(fc.nat(content.length - 1), fc.nat(7), (at, bit) => {
        const changed = content.slice()
        changed[at] = (changed[at] as number) ^ (1 << bit)
        return crc32c(changed) === slowly(changed) && crc32c(changed) !== whole
      }),
    )
  })

  it('gives the same in memory of its own, wherever the bytes lie, and leaves them and their neighbours as they are', () => {
    const memory = crc32cMemory(300_010)
    expect(memory.length).toBe(300_010)
    for (const from of [0, 1, 10]) {
      memory.fill(0xab).set(bytes, from)
      const before = Buffer.from(memory)
      expect(crc32c(memory.subarray(from, from + bytes.length))).toBe(slowly(bytes))
      expect(memory.equals(before)).toBe(true)
    }
  })

  it('sums up in turn what comes from several memories, in long and in short chunks', () => {
    const memories = [crc32cMemory(20_000), crc32cMemory(20_000), Buffer.alloc(20_000)]
    for (const memory of memories) memory.set(bytes.subarray(0, memory.length))
    const chunk = fc.record({
      memory: fc.nat(2),
      sum: fc.nat(1),
      // What is left of a multiple of 64 ends the fold.
      length: fc.oneof(
        fc.nat(200),
        fc.nat(20_000),
        fc.nat(312).map((steps) => 64 * steps),
      ),
      isAsked: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 8 }), (chunks) => {
        const sums = [new Crc32c(), new Crc32c()]
        for (const { memory, sum, length, isAsked } of chunks) {
          sums[sum]?.update((memories[memory] as Buffer).subarray(0, length))
          if (isAsked) sums[sum]?.value()
        }
        const whole = [0, 1].map((sum) =>
          slowly(
            Buffer.concat(chunks.filter((each) => each.sum === sum).map(({ length }) => bytes.subarray(0, length))),
          ),
        )
        return sums.every((each, at) => each.value() === whole[at])
      }),
    )
  })

  it('gives the same where WebAssembly is missing', async () => {
    vi.resetModules()
    vi.stubGlobal('WebAssembly', undefined)
    try {
      const without = await import('./crc32c.js')
      expect(without.crc32c(bytes)).toBe(crc32c(bytes))
      const memory = without.crc32cMemory(bytes.length)
      memory.set(bytes)
      expect(without.crc32c(memory)).toBe(crc32c(bytes))
    } finally {
      vi.unstubAllGlobals()
    }
  })
})

describe('Crc32c', () => {
  it('does not mind how the bytes are cut into chunks', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (chunks) => {
        const sum = new Crc32c()
        for (const chunk of chunks) sum.update(chunk)
        return sum.value() === crc32c(Buffer.concat(chunks))
      }),
    )
  })

  it('can be asked in between', () => {
    const sum = new Crc32c().update(Buffer.from('1234'))
    expect(sum.value()).toBe(crc32c(Buffer.from('1234')))
    expect(sum.update(Buffer.from('56789')).value()).toBe(0xe3069283)
  })

  // PG_VERSION in the manifests of base backups of 14.23 and of 18.4.
  it.each([
    ['14\n', 'fdece531'],
    ['18\n', '994e7be2'],
  ])('prints the sum of %j as a backup manifest does', (content, printed) => {
    expect(new Crc32c().update(Buffer.from(content)).hex()).toBe(printed)
  })

  it('prints zeros in front', () => {
    expect(new Crc32c().hex()).toBe('00000000')
  })
})
