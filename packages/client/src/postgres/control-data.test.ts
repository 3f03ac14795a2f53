import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  newSystemIdentifier,
  parseControlData,
  walSegmentWithSystemIdentifier,
  withSystemIdentifier,
} from './control-data.js'
import { formatLsn } from './lsn.js'

/**
 * The first 296 bytes of real control files of 14.23, 15.18, 16.14, 17.10 and 18.4; the expectations are what
 * pg_control_system() and its sisters said.
 */
const files = {
  '14.running':
    '2bN9aGkrBmsUBQAALekLDAYAAAAAAAAAbCsGawAAAABgAMAAAAAAACgAwAAAAAAAAQAAAAEAAAABAAAAAAAAAN0CAAAAAAAAgDUAAAEAAAAAAAAA1gIAAAEAAAABAAAAAQAAAAAAAABsKwZrAAAAAAAAAAAAAAAA3QIAAAAAAADoAwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIAAAAAAAAAZQAAAAkAAAALAAAAAwAAAEEAAAAAAAAACAAAAAAAAACH1jJBACAAAAAAAgAAIAAAAAAgAEAAAAAgAAAAzAcAAAAIAAABAAAAAQAAAEfRx8FifBUFaHPg3TmQyU3Xrn/p47o5g7nqMj+QjgZbRU0EywAAAAA=',
  '15.running':
    'i7SFBm0rBmsUBQAAJXcNDAYAAAAAAAAAbisGawAAAABgAMAAAAAAACgAwAAAAAAAAQAAAAEAAAABAAAAAAAAANQCAAAAAAAAsTQAAAEAAAAAAAAAzAIAAAEAAAABAAAAAQAAAAAAAABuKwZrAAAAAAAAAAAAAAAA1AIAAAAAAADoAwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIAAAAAAAAAZQAAAAkAAAALAAAAAwAAAEEAAAAAAAAACAAAAAAAAACH1jJBACAAAAAAAgAAIAAAAABAAEAAAAAgAAAAzAcAAAAIAAABAAAAAQAAAL0jVyfaU7iqf5oQfHdqtsVXoO3mmvHD3CIhPjuVkmQ70amzsgAAAAA=',
  '16.running':
    'OzUobm8rBmsUBQAA//UODAYAAAAAAAAAcisGawAAAABgAAABAAAAACgAAAEAAAAAAQAAAAEAAAABAAAAAAAAANoCAAAAAAAAtDQAAAEAAAAAAAAA0gIAAAEAAAABAAAAAQAAAAAAAABxKwZrAAAAAAAAAAAAAAAA2gIAAAAAAADoAwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIAAAAAAAAAZQAAAAkAAAALAAAAAwAAAEEAAAAAAAAACAAAAAAAAACH1jJBACAAAAAAAgAAIAAAAACAAEAAAAAgAAAAzAcAAAAIAAABAAAAAAAAABCbShVA99odJTxkhJkJkVIc/wpYIAIYpf7OwnWP5H9g2j9jtQAAAAA=',
  '17.running':
    '62U3hHIrBmukBgAAiXkQDAYAAAAAAAAAcysGawAAAACAAAACAAAAACgAAAIAAAAAAQAAAAEAAAABAAAAAgAAAOICAAAAAAAAuTQAAAEAAAAAAAAA2gIAAAEAAAABAAAAAQAAAAAAAABzKwZrAAAAAAAAAAAAAAAA4gIAAAAAAADoAwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIAAAAAAAAAZQAAAAkAAAALAAAAAwAAAEEAAAAAAAAACAAAAAAAAACH1jJBACAAAAAAAgAAIAAAAAAAAUAAAAAgAAAAzAcAAAAIAAABAAAAAQAAAH8miWCJcwyg4DPY45j90zSWGTKTHNBQG3vlwuHis+PMBFSxMgAAAAA=',
  '18.running':
    'TxZRWHQrBmsIBwAAMwASDAYAAAAAAAAAdisGawAAAACAAAAEAAAAACgAAAQAAAAAAQAAAAEAAAABAAAAAgAAAPACAAAAAAAAwzQAAAEAAAAAAAAA6AIAAAEAAAABAAAAAQAAAAAAAAB1KwZrAAAAAAAAAAAAAAAA8AIAAAAAAADoAwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIAAAAAAAAAZQAAAAkAAAALAAAAAwAAAEEAAAAAAAAACAAAAAAAAACH1jJBACAAAAAAAgAAIAAAAAAAAkAAAAAgAAAAzAcAAAAIAAABAAAAAQAAAAHkUvF94XHrnwcUUp23Q5uh258MubmFzJrVY6WRFTicMgAAAC5E45Q=',
  '18.shut':
    'TxZRWHQrBmsIBwAAMwASDAEAAAAAAAAAdisGawAAAAD4AAAEAAAAAPgAAAQAAAAAAQAAAAEAAAABAAAAAgAAAPACAAAAAAAAwzQAAAEAAAAAAAAA6AIAAAEAAAABAAAAAQAAAAAAAAB2KwZrAAAAAAAAAAAAAAAAAAAAAAAAAADoAwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIAAAAAAAAAZQAAAAkAAAALAAAAAwAAAEEAAAAAAAAACAAAAAAAAACH1jJBACAAAAAAAgAAIAAAAAAAAkAAAAAgAAAAzAcAAAAIAAABAAAAAQAAAAHkUvF94XHrnwcUUp23Q5uh258MubmFzJrVY6WRFTicMgAAAHYlLN4=',
  '18.standby':
    'TxZRWHQrBmsIBwAAMwASDAUAAAAAAAAAdisGawAAAAD4AAAEAAAAAPgAAAQAAAAAAQAAAAEAAAABAAAAAgAAAPACAAAAAAAAwzQAAAEAAAAAAAAA6AIAAAEAAAABAAAAAQAAAAAAAAB2KwZrAAAAAAAAAAAAAAAAAAAAAAAAAADoAwAAAAAAAPgAAAQAAAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIAAAAAAAAAZQAAAAkAAAALAAAAAwAAAEEAAAAAAAAACAAAAAAAAACH1jJBACAAAAAAAgAAIAAAAAAAAkAAAAAgAAAAzAcAAAAIAAABAAAAAQAAAAHkUvF94XHrnwcUUp23Q5uh258MubmFzJrVY6WRFTicMgAAANe12S8=',
  '18.standbyshut':
    'TxZRWHQrBmsIBwAAMwASDAIAAAAAAAAAdisGawAAAAD4AAAEAAAAAPgAAAQAAAAAAQAAAAEAAAABAAAAAgAAAPACAAAAAAAAwzQAAAEAAAAAAAAA6AIAAAEAAAABAAAAAQAAAAAAAAB2KwZrAAAAAAAAAAAAAAAAAAAAAAAAAADoAwAAAAAAAHABAAQAAAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIAAAAAAAAAZQAAAAkAAAALAAAAAwAAAEEAAAAAAAAACAAAAAAAAACH1jJBACAAAAAAAgAAIAAAAAAAAkAAAAAgAAAAzAcAAAAIAAABAAAAAQAAAAHkUvF94XHrnwcUUp23Q5uh258MubmFzJrVY6WRFTicMgAAAH3Kb/0=',
  '18.promoted':
    'TxZRWHQrBmsIBwAAMwASDAYAAAAAAAAAeCsGawAAAABwlAEEAAAAABiUAQQAAAAAAwAAAAMAAAABAAAAAgAAAPECAAAAAAAAA0AAAAEAAAAAAAAA6AIAAAEAAAABAAAAAQAAAAAAAAB4KwZrAAAAAAAAAAAAAAAA8QIAAAAAAADoAwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIAAAAAAAAAZQAAAAkAAAALAAAAAwAAAEEAAAAAAAAACAAAAAAAAACH1jJBACAAAAAAAgAAIAAAAAAAAkAAAAAgAAAAzAcAAAAIAAABAAAAAQAAAAHkUvF94XHrnwcUUp23Q5uh258MubmFzJrVY6WRFTicMgAAAATiufM=',
} as const

const fileOf = (name: keyof typeof files) => Buffer.from(files[name], 'base64')
const anyIdentifier = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn })

const oddSettings = {
  maxConnections: 101,
  maxWorkerProcesses: 9,
  maxWalSenders: 11,
  maxPreparedTransactions: 3,
  maxLocksPerTransaction: 65,
  walLevel: 2,
  blockSize: 8192,
  walBlockSize: 8192,
}
const MiB = 1024 * 1024

describe('parseControlData', () => {
  it.each([
    ['14.running', 7711899143643182041n, 1300, 202107181, '0/C00060', '0/C00028', 2 * MiB, true],
    ['15.running', 7711899159179408523n, 1300, 202209061, '0/C00060', '0/C00028', 4 * MiB, true],
    ['16.running', 7711899169508046139n, 1300, 202307071, '0/1000060', '0/1000028', 8 * MiB, false],
    ['17.running', 7711899182763042283n, 1700, 202406281, '0/2000080', '0/2000028', 16 * MiB, true],
    ['18.running', 7711899190616462927n, 1800, 202506291, '0/4000080', '0/4000028', 32 * MiB, true],
  ] as const)(
    'reads the control file of %s',
    (name, systemIdentifier, controlVersion, catalogVersion, checkpoint, redo, walSegmentSize, dataChecksums) => {
      const { checkpointLsn, redoLsn, ...rest } = parseControlData(fileOf(name))
      expect(rest).toEqual({
        ...oddSettings,
        systemIdentifier,
        controlVersion,
        catalogVersion,
        walSegmentSize,
        dataChecksums,
        timeline: 1,
        state: 'in production',
      })
      expect([formatLsn(checkpointLsn), formatLsn(redoLsn)]).toEqual([checkpoint, redo])
    },
  )

  it.each([
    ['18.shut', 'shut down', 1],
    ['18.standby', 'in archive recovery', 1],
    ['18.standbyshut', 'shut down in recovery', 1],
    ['18.promoted', 'in production', 3],
  ] as const)('tells of %s that it is %s, on timeline %i', (name, state, timeline) => {
    expect(parseControlData(fileOf(name))).toMatchObject({ state, timeline })
  })

  it('reads a file of 8192 bytes as well as its beginning, wherever it lies in memory', () => {
    const whole = Buffer.alloc(3 + 8192)
    fileOf('17.running').copy(whole, 3)
    expect(parseControlData(whole.subarray(3))).toEqual(parseControlData(fileOf('17.running')))
    expect(parseControlData(new Uint8Array(whole).subarray(3))).toEqual(parseControlData(fileOf('17.running')))
  })

  it('refuses a file in which any one bit of the data is another', () => {
    const sizes = { '14.running': 292, '18.running': 296 } as const
    fc.assert(
      fc.property(fc.constantFrom('14.running', '18.running'), fc.nat(), (name, bit) => {
        const file = fileOf(name)
        const at = bit % (sizes[name] * 8)
        file[at >> 3] = (file[at >> 3] ?? 0) ^ (1 << (at & 7))
        expect(() => parseControlData(file)).toThrow(expect.objectContaining({ code: 'damaged-file' }))
      }),
    )
  })

  it('refuses a file that is too short, saying its length', () => {
    expect(() => parseControlData(Buffer.alloc(0))).toThrow('pg_control ends after 0 bytes')
    expect(() => parseControlData(fileOf('18.shut').subarray(0, 295))).toThrow('pg_control ends after 295 bytes')
  })

  it('refuses a format that it does not know, saying which', () => {
    const file = fileOf('18.shut')
    file.writeUInt32LE(1901, 8)
    expect(() => parseControlData(file)).toThrow('pg_control has the unknown format 1901')
  })

  it('says both checksums of a damaged file', () => {
    const file = fileOf('18.shut')
    file.writeUInt32LE(0xabc, 292)
    expect(() => parseControlData(file)).toThrow(
      /^pg_control has the checksum 00000abc, and its content gives de2c2576$/,
    )
  })
})

describe('withSystemIdentifier', () => {
  it.each(['14.running', '15.running', '16.running', '17.running', '18.shut'] as const)(
    'gives %s any identifier and leaves all else',
    (name) => {
      fc.assert(
        fc.property(anyIdentifier, (id) => {
          const before = fileOf(name)
          const after = withSystemIdentifier(before, id)
          expect(parseControlData(after)).toEqual({ ...parseControlData(before), systemIdentifier: id })
          expect(after.subarray(8, 288)).toEqual(before.subarray(8, 288))
          expect(before).toEqual(fileOf(name))
        }),
      )
    },
  )

  it('gives back the very file when the identifier is the same', () => {
    const file = Buffer.concat([fileOf('18.shut'), Buffer.alloc(8192 - 296)])
    expect(withSystemIdentifier(file, parseControlData(file).systemIdentifier)).toEqual(file)
  })

  it('does not make a damaged file look whole', () => {
    const file = fileOf('18.shut')
    file[100] = 1
    expect(() => withSystemIdentifier(file, 1n)).toThrow(expect.objectContaining({ code: 'damaged-file' }))
  })

  it('refuses an identifier outside of 64 bits', () => {
    for (const id of [-1n, 1n << 64n]) {
      expect(() => withSystemIdentifier(fileOf('18.shut'), id)).toThrow(`${id} is not a system identifier`)
      expect(() => walSegmentWithSystemIdentifier(headers[18], id)).toThrow(`${id} is not a system identifier`)
    }
  })
})

/** The first 40 bytes of real segments. */
const headers = {
  14: Buffer.from('0dd10600010000000000c000000000000000000000000000d9b37d68692b066b0000200000200000', 'hex'),
  15: Buffer.from('10d10600010000000000c0000000000000000000000000008bb485066d2b066b0000400000200000', 'hex'),
  16: Buffer.from('13d1060001000000000000010000000000000000000000003b35286e6f2b066b0000800000200000', 'hex'),
  17: Buffer.from('16d106000100000000000002000000000000000000000000eb653784722b066b0000000100200000', 'hex'),
  18: Buffer.from('18d1060001000000000000040000000000000000000000004f165158742b066b0000000200200000', 'hex'),
} as const

describe('walSegmentWithSystemIdentifier', () => {
  it.each([14, 15, 16, 17, 18] as const)('changes the identifier of a segment of %i and nothing else', (major) => {
    const before = Buffer.concat([headers[major], Buffer.from('and what follows')])
    const after = walSegmentWithSystemIdentifier(before, 0x1122334455667788n)
    expect(after.readBigUInt64LE(24)).toBe(0x1122334455667788n)
    const identifier = parseControlData(fileOf(`${major}.running`)).systemIdentifier
    expect(walSegmentWithSystemIdentifier(after, identifier)).toEqual(before)
    expect(before.subarray(0, 40)).toEqual(headers[major])
  })

  it('refuses what does not begin with a long page header', () => {
    const shortHeader = Buffer.concat([
      Buffer.from('0dd105000100000000206000000000003401000000000000', 'hex'),
      Buffer.alloc(100),
    ])
    for (const bytes of [shortHeader, Buffer.alloc(8192), headers[18].subarray(0, 39)]) {
      expect(() => walSegmentWithSystemIdentifier(bytes, 1n)).toThrow(expect.objectContaining({ code: 'damaged-file' }))
    }
  })
})

describe('newSystemIdentifier', () => {
  it('holds seconds, microseconds and the low bits of the process id where initdb puts them', () => {
    const id = newSystemIdentifier(new Date('2026-11-25T00:27:21.427Z'), 0x12345, 8)
    expect(id >> 32n).toBe(1795566441n)
    expect((id >> 12n) & 0xfffffn).toBe(427008n)
    expect(id & 0xfffn).toBe(0x345n)
  })

  it('differs whenever the millisecond, the microsecond or the process differs', () => {
    const moment = fc.record({ ms: fc.nat(4_000_000_000_000), us: fc.nat(999), pid: fc.nat(0xfff) })
    const of = ({ ms, us, pid }: { ms: number; us: number; pid: number }) => newSystemIdentifier(new Date(ms), pid, us)
    fc.assert(
      fc.property(moment, moment, (a, b) => {
        expect(of(a) === of(b)).toBe(a.ms === b.ms && a.us === b.us && a.pid === b.pid)
      }),
    )
  })
})
