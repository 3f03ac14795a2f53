import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseBoolean, parseBytes, parseMilliseconds, parsePlainInteger, roundHalfToEven } from './setting-value.js'

const refused = expect.objectContaining({ code: 'bad-value' })

describe('parseBytes', () => {
  it.each([
    ['256MB', 268435456],
    ['1kB', 1024],
    [' 2 GB ', 2147483648],
    ['1TB', 1099511627776],
    ['7', 7],
    ['7B', 7],
    ['1.5GB', 1610612736],
    ['-1MB', -1048576],
  ])('reads %j', (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes)
  })

  it('counts a number alone in the unit of the setting', () => {
    expect(parseBytes('64', 'MB')).toBe(67108864)
    expect(parseBytes('16384', '8kB')).toBe(134217728)
    expect(parseBytes('64kB', 'MB')).toBe(65536)
  })

  it('rounds a fraction of a unit to the next smaller unit, as PostgreSQL does', () => {
    expect(parseBytes('1.0001MB')).toBe(1024 * 1024)
    expect(parseBytes('1.4999GB')).toBe(1536 * 1024 * 1024)
  })

  // PostgreSQL tells kB from KB.
  it.each(['256mb', '1KB', '1Kb', '1 M', '5min', 'MB', '', '1MB2', 'constructor', '1constructor'])(
    'refuses %j',
    (text) => {
      expect(() => parseBytes(text)).toThrow(refused)
    },
  )
})

describe('parseMilliseconds', () => {
  it.each([
    ['5min', 300_000],
    ['60s', 60_000],
    ['1h', 3_600_000],
    ['1d', 86_400_000],
    ['1500us', 1.5],
    ['250', 250],
    ['250ms', 250],
    ['1.4999min', 90_000],
    ['0', 0],
    ['-1', -1],
  ])('reads %j', (text, ms) => {
    expect(parseMilliseconds(text)).toBe(ms)
  })

  it('counts a number alone in the unit of the setting', () => {
    expect(parseMilliseconds('10', 's')).toBe(10_000)
    expect(parseMilliseconds('10ms', 's')).toBe(10)
  })

  it.each(['5m', '5 minutes', '1MB', 'MIN', '1D', '5MIN', ''])('refuses %j', (text) => {
    expect(() => parseMilliseconds(text)).toThrow(refused)
  })
})

describe('parsePlainInteger', () => {
  // Seen on servers of 14 and 18, by set_config and ALTER SYSTEM.
  it.each([
    ['100', 100],
    ['+7', 7],
    ['-1', -1],
    [' 12 ', 12],
    ['0x1F', 31],
    ['-0x10', -16],
    ['010', 8],
    ['00', 0],
    ['017.5', 18],
    ['1e2', 100],
    ['1E3', 1000],
    ['.5', 0],
    ['5.', 5],
    ['1.5', 2],
    ['2.5', 2],
    ['3.5', 4],
    ['1.4999', 1],
  ])('reads %j', (text, value) => {
    expect(parsePlainInteger(text)).toBe(value)
  })

  it.each([
    '',
    ' ',
    'x',
    '08',
    '09.5',
    '1_0',
    '1e',
    '0x',
    '0xg',
    '1e2.5',
    '1 2',
    '1MB',
    '5%',
    '\u00a05',
    '--5',
    'e5',
    '.',
  ])('refuses %j', (text) => {
    expect(() => parsePlainInteger(text)).toThrow(refused)
  })

  it('reads back every whole number', () => {
    fc.assert(fc.property(fc.integer(), (n) => parsePlainInteger(String(n)) === n))
  })
})

describe('roundHalfToEven', () => {
  it('rounds a half to the even neighbour, on both sides of zero', () => {
    expect([0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.49, 2.51, -2.51].map((n) => roundHalfToEven(n) + 0)).toEqual([
      0, 2, 2, 0, -2, -2, 0, 3, -3,
    ])
  })
})

describe('parseBoolean', () => {
  it.each(['on', 'On', 'true', 't', 'tr', 'TRUE', 'yes', 'y', 'ye', '1'])('takes %j for on', (text) => {
    expect(parseBoolean(text)).toBe(true)
  })

  it.each(['off', 'of', 'false', 'f', 'fals', 'NO', 'n', '0'])('takes %j for off', (text) => {
    expect(parseBoolean(text)).toBe(false)
  })

  it.each(['', 'o', 'truex', '2', '10', ' on', 'on ', 'enabled'])('refuses %j', (text) => {
    expect(() => parseBoolean(text)).toThrow(`${JSON.stringify(text)} is not a boolean`)
  })
})
