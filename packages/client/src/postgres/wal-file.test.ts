import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lsnOf, parseLsn } from './lsn.js'
import { timelineOf } from './timeline.js'
import { defaultWalSegmentSize, kindOfWalFile, parseWalFileName, walFileName } from './wal-file.js'

const MiB = 1024 * 1024
const anySize = fc.integer({ min: 0, max: 10 }).map((power) => MiB << power)

describe('walFileName', () => {
  // The answers of pg_walfile_name() of servers with these segment sizes.
  it.each([
    ['16/B374D848', 16 * MiB, '0000000100000016000000B3'],
    ['0/0', 16 * MiB, '000000010000000000000000'],
    ['0/FFFFFF', 16 * MiB, '000000010000000000000000'],
    ['0/1000000', 16 * MiB, '000000010000000000000001'],
    ['16/B374D848', 1 * MiB, '000000010000001600000B37'],
    ['16/B374D848', 1024 * MiB, '000000010000001600000002'],
    ['FFFFFFFF/FFFFFFFF', 16 * MiB, '00000001FFFFFFFF000000FF'],
  ])('names the segment of %s with segments of %i bytes', (lsn, size, name) => {
    expect(walFileName(timelineOf(1), parseLsn(lsn), size)).toBe(name)
  })

  it('is undone by parseWalFileName, for the first byte of the segment', () => {
    const anyLsn = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }).map(lsnOf)
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 0xffff_ffff }).map(timelineOf), anyLsn, anySize, (timeline, lsn, size) => {
        const start = lsn - (lsn % BigInt(size))
        expect(parseWalFileName(walFileName(timeline, lsn, size), size)).toEqual({ timeline, start })
      }),
    )
  })

  it.each([0, 1000, MiB / 2, 3 * MiB, 2048 * MiB, -MiB, 1.5, Number.NaN])('refuses segments of %d bytes', (size) => {
    expect(() => walFileName(timelineOf(1), lsnOf(0n), size)).toThrow(`${size} is not the size of a WAL segment`)
  })
})

describe('parseWalFileName', () => {
  it('reads partial segments and backup files too', () => {
    const start = parseLsn('1/3000000')
    for (const name of [
      '000000020000000100000003',
      '000000020000000100000003.partial',
      '000000020000000100000003.00000028.backup',
    ]) {
      expect(parseWalFileName(name, defaultWalSegmentSize)).toEqual({ timeline: 2, start })
    }
  })

  it.each([
    '',
    '00000002.history',
    'archive_status',
    '00000001000000000000000',
    '00000001000000000000000g',
    '000000010000000000000001.done',
  ])('refuses %j', (name) => {
    expect(() => parseWalFileName(name, defaultWalSegmentSize)).toThrow(
      expect.objectContaining({
        code: 'bad-value',
        message: `${JSON.stringify(name)} is not the name of a WAL segment`,
      }),
    )
  })

  it('refuses a name that segments of that size do not have', () => {
    expect(() => parseWalFileName('000000010000000000000100', 16 * MiB)).toThrow(
      '"000000010000000000000100" is not the name of a WAL segment of 16777216 bytes',
    )
    expect(parseWalFileName('000000010000000000000100', MiB).start).toBe(0x10000000n)
  })
})

describe('kindOfWalFile', () => {
  it.each([
    ['000000010000000000000001', 'segment'],
    ['000000010000000000000001.partial', 'partial'],
    ['000000010000000000000001.00000028.backup', 'backup'],
    ['00000002.history', 'history'],
    ['archive_status', undefined],
    ['summaries', undefined],
    ['xlogtemp.1234', undefined],
    ['000000010000000000000001.backup', undefined],
    ['000000010000000000000001\n', undefined],
  ])('says what %j is', (name, kind) => {
    expect(kindOfWalFile(name)).toBe(kind)
  })
})
