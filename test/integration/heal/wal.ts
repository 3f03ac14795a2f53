import { formatLsn } from '@maestra/client/postgres/lsn'
import { expect, it } from 'vitest'
import { LocalHost } from '../../../packages/maestra/src/host/local/local-host.js'
import { observeWalToCompare } from '../../../packages/maestra/src/server/observe-wal.js'
import { differenceFrom, type WalTail } from '../../../packages/maestra/src/server/wal-tail.js'
import { sql, untilRows } from '../../harness/sql.js'
import type { HealedShop } from './healed-shop.js'

export function describeWal(shop: () => HealedShop): void {
  const reached = {
    db1: 'select pg_current_wal_lsn()::text as lsn',
    db2: 'select pg_last_wal_receive_lsn()::text as lsn',
  } as const

  const { files: hostFiles } = new LocalHost()

  /** As if nobody could be asked. */
  async function seenOf(node: string): Promise<{ readonly end: string; readonly tail: WalTail | undefined }> {
    const { wal, tail } = await observeWalToCompare(hostFiles, shop().data(node), { kind: 'down' })
    if (wal.kind === 'unknown') throw new Error(wal.because)
    return { end: `${wal.timeline} ${formatLsn(wal.end)}`, tail }
  }

  it.each([
    ['a row', 'insert into sale values (1)'],
    ['many rows', 'insert into sale select generate_series(1, 60000)'],
    ['a row behind them', 'insert into sale values (1)'],
    ['a switch to the next segment', 'select pg_switch_wal()'],
    ['a row in that', 'insert into sale values (1)'],
    [
      'a row that is longer than a page',
      `insert into sale select 1 from (select pg_logical_emit_message(false, 'x', repeat('y', 50000))) as m`,
    ],
  ])('it is known to the byte how far each has come, after %s', async (_title, change) => {
    await sql(shop().url('db1'), change)
    const [{ lsn = '' } = {}] = await sql<{ lsn: string }>(shop().url('db1'), reached.db1)
    await untilRows(shop().url('db2'), reached.db2, [{ lsn }])
    await untilRows(shop().url('db1'), reached.db1, [{ lsn }])
    const own = await seenOf('db2')
    expect([(await seenOf('db1')).end, own.end]).toEqual([`1 ${lsn}`, `1 ${lsn}`])
    // And what is there before is the same.
    if (own.tail === undefined) throw new Error('nothing can be compared')
    expect(await differenceFrom(hostFiles, shop().data('db1'), own.tail)).toBe('same')
  })
}
