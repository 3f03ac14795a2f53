import { execFileSync } from 'node:child_process'
import { chownSync, existsSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { formatLsn } from '@maestra/client/postgres/lsn'
import { expect, it } from 'vitest'
import { LocalHost } from '../../../packages/maestra/src/host/local/local-host.js'
import { observeWal } from '../../../packages/maestra/src/server/observe-wal.js'
import { stopServer } from '../../harness/servers.js'
import { sql, untilRows } from '../../harness/sql.js'
import type { HealedShop } from './healed-shop.js'

export function describeHistories(shop: () => HealedShop): void {
  async function refusals(): Promise<readonly string[]> {
    const run = await shop().run(['plan', '--json'])
    expect(run.code).toBe(1)
    return JSON.parse(run.stdout).refusals.map((each: { message: string }) => each.message)
  }

  /** A replica is made anew where somebody asks for it, and its data of before are there. */
  async function expectReplaced(): Promise<void> {
    const inode = statSync(shop().data('db2')).ino
    expect((await shop().kinds(['--replace', 'db2'])).filter((kind) => kind !== 'create-slot')).toContain('move-aside')
    const run = await shop().run(['apply', '--yes', '--replace', 'db2'])
    expect(run).toMatchObject({ code: 0, stderr: '' })
    await shop().expectMadeAnew(inode)
    shop().removeAside()
  }

  /** Has db1 be what it was before db2 got some more rows; both are stopped. */
  async function takePrimaryBack(): Promise<void> {
    await stopServer(shop().data('db2'))
    await stopServer(shop().data('db1'))
    const before = `${shop().data('db1')}-of-before`
    execFileSync('cp', ['-a', shop().data('db1'), before])
    await shop().apply()
    await sql(shop().url('db1'), 'insert into sale select generate_series(1, 5000)')
    const [{ n } = { n: 0 }] = await sql<{ n: number }>(shop().url('db1'), 'select count(*)::int as n from sale')
    await untilRows(shop().url('db2'), 'select count(*)::int as n from sale', [{ n }])
    await stopServer(shop().data('db2'))
    await stopServer(shop().data('db1'))
    rmSync(shop().data('db1'), { recursive: true })
    renameSync(before, shop().data('db1'))
  }

  it('part because the primary went back: the replica is refused with both positions, also while both are stopped', async () => {
    await takePrimaryBack()
    const words =
      /^db2: it has diverged from db1: db2 is on timeline 1 at 0\/\w+, db1 is on timeline 1 at 0\/\w+: db2 has [\d.]+ [kM]B of WAL that db1 never had/
    expect(await refusals()).toEqual([expect.stringMatching(words)])
    await expectReplaced()
  })

  it('part because the primary went back, and it has overtaken the replica: that is refused before it is started', async () => {
    await takePrimaryBack()
    const own = await observeWal(new LocalHost().files, shop().data('db2'), { kind: 'down' })
    if (own.kind === 'unknown') throw new Error(own.because)
    shop().declare({ nodes: ['db1'] })
    await shop().apply()
    shop().declare()
    await sql(shop().url('db1'), 'insert into sale select generate_series(1, 60000)')
    expect(await shop().ask('db1', `select pg_current_wal_lsn() > '${formatLsn(own.end)}'`)).toBe(true)
    const words =
      /^db2: it has diverged from db1: db2 is on timeline 1 at 0\/\w+, db1 is on timeline 1 at 0\/\w+: at 0\/\w+ db1 has other WAL than db2$/
    expect(await refusals()).toEqual([expect.stringMatching(words)])
    await stopServer(shop().data('db1'))
    expect(await refusals()).toEqual([expect.stringMatching(words)])
    await expectReplaced()
  })

  it('part because the replica was promoted: it is not touched while it runs, and told when it parted', async () => {
    await sql(shop().url('db2'), 'select pg_promote()')
    await sql(shop().url('db2'), 'insert into sale select generate_series(1, 100)')
    await sql(shop().url('db1'), 'insert into sale values (4)')
    const parted =
      /runs as a primary on timeline 2 at 0\/\w+: db2 is on timeline 2 at 0\/\w+, having left timeline 1 at 0\/\w+, db1 is on timeline 1 at 0\/\w+: db2 has [\d.]+ k?B of WAL that db1 never had, and db1 [\d.]+ k?B that db2 has not$/
    expect(await refusals()).toEqual([expect.stringMatching(parted)])
    for (const [node, words] of [
      ['db1', 'db1: it is declared as the primary, and only standbys are made anew'],
      ['db2', 'a server that is no standby of this cluster runs on them'],
      ['db9', 'cluster shop has no node of that name'],
    ] as const) {
      const run = await shop().run(['apply', '--yes', '--replace', node])
      expect(run.code).toBe(1)
      expect(run.stdout).toContain(words)
    }
    expect(shop().aside()).toEqual([])
  })

  it('part, and the promoted one is told to be a standby again: what it has is not of its primary', async () => {
    await stopServer(shop().data('db2'))
    writeFileSync(`${shop().data('db2')}/standby.signal`, '')
    const words =
      /^db2: it has diverged from db1: db2 is on timeline 2 at 0\/\w+, having left timeline 1 at 0\/\w+, db1 is on/
    expect(await refusals()).toEqual([expect.stringMatching(words)])
    await expectReplaced()
  })

  it('are one, and the primary has a tablespace: no data are moved aside for a copy that would be refused', async () => {
    await stopServer(shop().data('db2'))
    const space = shop().workspace.folder('fast')
    const { uid, gid } = statSync(shop().data('db1'))
    chownSync(space, uid, gid)
    await sql(shop().url('db1'), `create tablespace "Fast" location '${space}'`)
    const run = await shop().run(['apply', '--yes', '--replace', 'db2'])
    expect(run.code).toBe(1)
    expect(run.stdout).toContain(`refused  db2: db1 has the tablespace Fast at ${space}, outside of its data directory`)
    expect(run.stdout).toContain('tablespace \\"Fast\\" set')
    // PostgreSQL cannot tell the place of one whose directory is away; the server is asked all the same.
    renameSync(space, `${space}-away`)
    const words = 'db2: db1 has the tablespace Fast at / (its directory is missing), outside of its data directory'
    const replace = JSON.parse((await shop().run(['plan', '--json', '--replace', 'db2'])).stdout)
    expect(replace.refusals.map((each: { message: string }) => each.message)).toEqual([expect.stringContaining(words)])
    renameSync(`${space}-away`, space)
    expect(shop().aside()).toEqual([])
    expect(existsSync(`${shop().data('db2')}/global/pg_control`)).toBe(true)
    await sql(shop().url('db1'), 'drop tablespace "Fast"')
    await shop().apply()
    await shop().expectHealed()
  })

  it('are one: a replica that is well is made anew too, when somebody asks for it', async () => {
    await expectReplaced()
  })
}
