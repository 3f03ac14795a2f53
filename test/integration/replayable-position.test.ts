import { type Sandbox, startSandbox } from 'maestra'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lsnOf, parseLsn } from '../../packages/client/src/postgres/lsn.js'
import { replayablePosition, type WalGeometry } from '../../packages/client/src/routing/consistency/position.js'
import { untilRows } from '../harness/sql.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

let workspace: Workspace
let shop: Sandbox
let primary: pg.Client
let geometry: WalGeometry

beforeAll(async () => {
  workspace = openWorkspace()
  process.env['MAESTRA_CACHE'] = workspace.cache
  shop = await startSandbox({ replicas: 1 })
  primary = new pg.Client({ connectionString: shop.primary.url })
  await primary.connect()
  const { rows } = await primary.query(
    `select current_setting('wal_block_size')::int as page,
            (select setting::int from pg_settings where name = 'wal_segment_size') as segment`,
  )
  geometry = { pageBytes: rows[0].page, segmentBytes: rows[0].segment }
})

afterAll(async () => {
  await primary?.end()
  await shop?.stop()
  await workspace.remove()
})

async function insertPosition(): Promise<bigint> {
  const { rows } = await primary.query('select pg_current_wal_insert_lsn()::text as lsn')
  return parseLsn(rows[0].lsn)
}

async function emit(bytes: number): Promise<void> {
  await primary.query(`select pg_logical_emit_message(false, 'x', repeat('x', $1))`, [bytes])
}

/** Writes until the log ends with a full page: other processes of the server write now and then, too. */
async function fillPage(): Promise<bigint> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const before = await insertPosition()
    await emit(512)
    const start = await insertPosition()
    const overhead = Number(start - before) - 512
    const left = geometry.pageBytes - Number(start % BigInt(geometry.pageBytes))
    if (left > overhead + 300) await emit(left - overhead)
    const end = await insertPosition()
    if (end % BigInt(geometry.pageBytes) === 24n) return end
  }
  throw new Error('the log never ended with a full page')
}

async function switchSegment(): Promise<bigint> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    await primary.query('select pg_switch_wal()')
    const end = await insertPosition()
    if (end % BigInt(geometry.segmentBytes) === 40n) return end
  }
  throw new Error('the log never ended with a full segment')
}

/** Nothing more is written: it is reached, or the wait ends with what was last seen. */
async function untilReplayed(lsn: bigint): Promise<void> {
  const replica = shop.replicas[0]
  await untilRows(replica?.url ?? '', `select pg_last_wal_replay_lsn() - '0/0'::pg_lsn >= ${lsn} as replayed`, [
    { replayed: true },
  ])
}

describe('W4: the insert position of an idle primary, lowered, is one that its replica replays', () => {
  it('at the start of a page', async () => {
    const read = await fillPage()
    const position = replayablePosition(lsnOf(read), geometry)
    expect(read - position).toBe(24n)
    await untilReplayed(position)
  })

  it('at the start of a segment', async () => {
    const read = await switchSegment()
    const position = replayablePosition(lsnOf(read), geometry)
    expect(read - position).toBe(40n)
    await untilReplayed(position)
  })
})
