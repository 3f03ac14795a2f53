import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Lsn, lsnOf } from '@maestra/client/postgres/lsn'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LocalHost } from '../host/local/local-host.js'
import { differenceFrom, readWalTail, type WalTail } from './wal-tail.js'

const blockSize = 8192
const start = lsnOf(0x3000000n)
const segment = '000000010000000000000003'
const { files } = new LocalHost()
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'maestra-wal-tail-'))
})

afterAll(() => rmSync(folder, { recursive: true }))

function page(address: bigint, fill: number): Buffer {
  const bytes = Buffer.alloc(blockSize, fill)
  bytes.writeUInt16LE(0xd118, 0)
  bytes.writeUInt32LE(1, 4)
  bytes.writeBigUInt64LE(address, 8)
  return bytes
}

const at = (index: number): bigint => start + BigInt(index * blockSize)
const own = (index: number): Buffer => page(at(index), index + 1)

function write(node: string, pages: readonly Buffer[], name = segment): void {
  mkdirSync(join(folder, node, 'pg_wal'), { recursive: true })
  writeFileSync(join(folder, node, 'pg_wal', name), Buffer.concat(pages))
}

async function tailOf(pages: readonly Buffer[], end: bigint): Promise<WalTail | undefined> {
  write('db2', pages)
  const path = join(folder, 'db2', 'pg_wal', segment)
  return await readWalTail(files, { path, start, end: lsnOf(end), blockSize })
}

async function compared(
  standby: readonly Buffer[],
  end: bigint,
  primary: readonly Buffer[],
  name = segment,
): Promise<Lsn | 'same' | undefined> {
  const tail = await tailOf(standby, end)
  if (tail === undefined) throw new Error('nothing can be compared')
  rmSync(join(folder, 'db1'), { recursive: true, force: true })
  write('db1', primary, name)
  return await differenceFrom(files, join(folder, 'db1'), tail)
}

describe('the WAL of a standby beside that of its primary', () => {
  const three = [own(0), own(1), own(2)]
  const changed = (index: number, offset: number): Buffer[] =>
    three.map((bytes, each) => {
      const copy = Buffer.from(bytes)
      if (each === index) copy.writeUInt8(0xff, offset)
      return copy
    })

  it('is the same up to the end of the standby, whatever stands behind it', async () => {
    const behind = [...changed(2, 200), own(3)]
    expect(await compared(three, at(2) + 200n, behind)).toBe('same')
  })

  it.each([
    ['on the last page', 2, 199],
    ['on a page before', 1, 4000],
    ['at the beginning of the segment', 0, 30],
  ])('is other WAL %s', async (_title, index, offset) => {
    expect(await compared(three, at(2) + 200n, changed(index, offset))).toBe(at(index) + BigInt(offset))
  })

  it.each([
    ['at the end of a page', 2],
    ['at the end of its segment', 3],
  ])('is compared where the standby ends %s', async (_title, pages) => {
    expect(await compared(three, at(pages), three)).toBe('same')
    expect(await compared(three, at(pages), changed(pages - 1, 8191))).toBe(at(pages) - 1n)
  })

  it('is other WAL where the primary went on to the next segment before', async () => {
    expect(await compared(three, at(3), [own(0), own(1), Buffer.alloc(blockSize)])).toBe(at(2))
  })

  it('is compared behind what a standby has not written', async () => {
    const holed = [own(0), Buffer.alloc(blockSize), own(2)]
    expect(await compared(holed, at(3), three)).toBe('same')
  })

  it('is not known where the primary has removed the segment, or uses it for another one', async () => {
    expect(await compared(three, at(3), three, '000000010000000000000004')).toBeUndefined()
    expect(await compared(three, at(3), [page(0x1000000n, 9), own(1), own(2)])).toBeUndefined()
    expect(await compared(three, at(3), [own(0)])).toBeUndefined()
  })

  it('is nothing where the standby has another page at its end', async () => {
    expect(await tailOf([own(0), page(0x1000000n, 9)], at(2))).toBeUndefined()
    expect(await tailOf([own(0)], at(2))).toBeUndefined()
  })
})
