import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bytesBetween, compareLsn, formatLsn, isLsn, lsnOf, maxLsn, parseLsn } from './lsn.js'

const anyLsn = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }).map(lsnOf)

describe('parseLsn', () => {
  it.each([
    ['0/0', 0n],
    ['0/3000148', 0x3000148n],
    ['16/B374D848', 0x16b374d848n],
    ['16/b374d848', 0x16b374d848n],
    ['00000016/0B374D84', 0x160b374d84n],
    ['1/0', 0x1_0000_0000n],
    ['FFFFFFFF/FFFFFFFF', 0xffff_ffff_ffff_ffffn],
  ])('reads %s', (text, value) => {
    expect(parseLsn(text)).toBe(value)
    expect(isLsn(text)).toBe(true)
  })

  // The rejected inputs of PostgreSQL's own regression test for pg_lsn are among these.
  it.each([
    '',
    '0',
    '/',
    '0/',
    '/0',
    'G/0',
    '-1/0',
    ' 0/1',
    '0/1 ',
    '0/1\n',
    'ABCD/',
    '/ABCD',
    '16AE7F7',
    '0/1/2',
    '123456789/0',
    '0/123456789',
    '0x1/0',
    "0/0'; --",
  ])('refuses %j', (text) => {
    expect(isLsn(text)).toBe(false)
    expect(() => parseLsn(text)).toThrow(
      expect.objectContaining({ code: 'bad-value', message: `${JSON.stringify(text)} is not an LSN` }),
    )
  })

  it('cuts a long value in its message and keeps the message on one line', () => {
    const message = (() => {
      try {
        return parseLsn(`\n${'x'.repeat(10_000)}`)
      } catch (error) {
        return (error as Error).message
      }
    })()
    expect(message).toMatch(/^"\\nx{79}…" is not an LSN$/)
  })
})

describe('formatLsn', () => {
  it('prints without zeros in front, in upper case', () => {
    expect(formatLsn(parseLsn('0000000a/00000001'))).toBe('A/1')
  })

  it('is undone by parseLsn, for every LSN', () => {
    fc.assert(fc.property(anyLsn, (lsn) => parseLsn(formatLsn(lsn)) === lsn))
  })

  it('prints what PostgreSQL prints for any accepted text', () => {
    const digits = fc.stringMatching(/^[0-9a-fA-F]{1,8}$/)
    const trimmed = (hex: string) => hex.replace(/^0+(?=.)/, '').toUpperCase()
    fc.assert(
      fc.property(
        digits,
        digits,
        (high, low) => formatLsn(parseLsn(`${high}/${low}`)) === `${trimmed(high)}/${trimmed(low)}`,
      ),
    )
  })
})

describe('lsnOf', () => {
  it('refuses what is not an unsigned number of 64 bits', () => {
    for (const value of [-1n, 1n << 64n]) expect(() => lsnOf(value)).toThrow(`${value} is not an LSN`)
    expect(lsnOf((1n << 64n) - 1n)).toBe(0xffff_ffff_ffff_ffffn)
  })
})

describe('bytesBetween', () => {
  it('is to minus from, negative when to lies before', () => {
    expect(bytesBetween(parseLsn('0/FFFFFFFF'), parseLsn('1/10'))).toBe(17)
    expect(bytesBetween(parseLsn('1/10'), parseLsn('0/FFFFFFFF'))).toBe(-17)
  })

  it('is exact up to 2^53 and keeps its sign beyond', () => {
    const near = fc.bigInt({ min: 0n, max: (1n << 53n) - 1n })
    fc.assert(
      fc.property(
        anyLsn,
        near,
        (from, distance) =>
          from + distance >= 1n << 64n || BigInt(bytesBetween(from, lsnOf(from + distance))) === distance,
      ),
    )
    fc.assert(fc.property(anyLsn, anyLsn, (a, b) => Math.sign(bytesBetween(a, b)) === Math.sign(compareLsn(b, a))))
  })
})

describe('compareLsn and maxLsn', () => {
  it('orders by position, not by text', () => {
    const sorted = ['9/0', '10/0', 'A/0', '0/FF', '0/100'].map(parseLsn).sort(compareLsn).map(formatLsn)
    expect(sorted).toEqual(['0/FF', '0/100', '9/0', 'A/0', '10/0'])
  })

  it('finds the furthest of all', () => {
    fc.assert(
      fc.property(fc.array(anyLsn, { minLength: 1 }), (all) => {
        const [first, ...others] = all as [(typeof all)[0], ...typeof all]
        return maxLsn(first, ...others) === [...all].sort(compareLsn).at(-1)
      }),
    )
  })
})
