import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Feature,
  isSupportedMajor,
  newestMajor,
  oldestMajor,
  parseServerVersion,
  serverVersionFromNumber,
  supports,
} from './version.js'

describe('parseServerVersion', () => {
  it.each([
    ['18.4', 18, 4, '18.4'],
    ['18.4 (Debian 18.4-1.pgdg12+1)', 18, 4, '18.4'],
    ['14.23 (Ubuntu 14.23-0ubuntu0.22.04.1)', 14, 23, '14.23'],
    ['postgres (PostgreSQL) 18.4', 18, 4, '18.4'],
    ['pg_ctl (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n', 15, 18, '15.18'],
    ['pg_basebackup (PostgreSQL) 16.14', 16, 14, '16.14'],
    ['17', 17, 0, '17'],
    ['18\n', 18, 0, '18'],
    ['19beta1', 19, 0, '19beta1'],
    ['19rc2 (Debian 19~rc2-1)', 19, 0, '19rc2'],
    ['18devel', 18, 0, '18devel'],
    ['9.6.24', 9, 6, '9.6.24'],
    ['16.1 - Percona Distribution', 16, 1, '16.1'],
  ])('reads %j', (text, major, minor, version) => {
    expect(parseServerVersion(text)).toEqual({ major, minor, text: version })
  })

  it.each(['', 'eighteen', 'PostgreSQL', '18.', '.4', '18.4.', '18x', '18.4beta', '-18', '18,4', 'mysqld  Ver 8.0'])(
    'refuses %j',
    (text) => {
      expect(() => parseServerVersion(text)).toThrow(
        expect.objectContaining({
          code: 'bad-value',
          message: `${JSON.stringify(text)} is not a version of PostgreSQL`,
        }),
      )
    },
  )
})

describe('serverVersionFromNumber', () => {
  it.each([
    [180004, 18, 4, '18.4'],
    [140023, 14, 23, '14.23'],
    [190000, 19, 0, '19.0'],
    [90624, 9, 6, '9.6.24'],
  ])('reads %i', (num, major, minor, text) => {
    expect(serverVersionFromNumber(num)).toEqual({ major, minor, text })
  })

  it('agrees with parseServerVersion on its own text', () => {
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 999 }), fc.nat(9999), (major, minor) => {
        const version = serverVersionFromNumber(major * 10_000 + minor)
        expect(parseServerVersion(version.text)).toEqual(version)
      }),
    )
  })

  it.each([0, -1, 18, 18.4, 180004.5, Number.NaN, 1e9])('refuses %d', (num) => {
    expect(() => serverVersionFromNumber(num)).toThrow(`${num} is not a version number of PostgreSQL`)
  })
})

describe('isSupportedMajor', () => {
  it('holds from 14 to 19', () => {
    expect([oldestMajor, newestMajor]).toEqual([14, 19])
    expect([13, 14, 18, 19, 20, 15.5].map(isSupportedMajor)).toEqual([false, true, true, true, false, false])
  })
})

describe('supports', () => {
  it.each<[Feature, number]>([
    ['backup-options-in-parentheses', 15],
    ['backup-archive-messages', 15],
    ['scram-iterations', 16],
    ['failover-slots', 17],
    ['idle-replication-slot-timeout', 18],
    ['wait-for-lsn', 19],
    ['pg-stat-recovery', 19],
  ])('offers %s from %i on', (feature, first) => {
    for (let major = oldestMajor; major <= newestMajor; major++) expect(supports(major, feature)).toBe(major >= first)
  })
})
