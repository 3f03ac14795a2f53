import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { stopServer } from '../../harness/servers.js'
import { sql, untilRows } from '../../harness/sql.js'
import type { HealedShop } from './healed-shop.js'

export function describeReplica(shop: () => HealedShop): void {
  const anew = ['move-aside', 'replace-slot', 'copy-primary', 'start', 'await-streaming']

  it('has lost its slot and the primary still has the WAL: the slot is replaced, and it goes on with its data', async () => {
    const inode = statSync(shop().data('db2')).ino
    await stopServer(shop().data('db2'))
    const wal = `${shop().data('db1')}/pg_wal`
    const kept = shop().workspace.folder('kept-wal')
    await shop().loseWal(() => cpSync(wal, kept, { recursive: true }))
    // It is put back while the primary is stopped: a running one remembers that it has removed it.
    await stopServer(shop().data('db1'))
    const missing = readdirSync(kept).filter((name) => !existsSync(`${wal}/${name}`))
    expect(missing.length).toBeGreaterThan(0)
    const owner = statSync(wal)
    for (const name of missing) {
      cpSync(`${kept}/${name}`, `${wal}/${name}`)
      chownSync(`${wal}/${name}`, owner.uid, owner.gid)
    }
    expect(await shop().kinds()).toEqual([
      'start',
      'create-replication-role',
      'create-slot',
      'start',
      'await-streaming',
    ])
    await shop().apply()
    await shop().expectHealed()
    await shop().expectSameRows()
    expect(statSync(shop().data('db2')).ino).toBe(inode)
    expect(shop().aside()).toEqual([])
  })

  it('has no slot any more and the primary still has the WAL: it gets one, and goes on with its data', async () => {
    const inode = statSync(shop().data('db2')).ino
    await stopServer(shop().data('db2'))
    await untilRows(shop().url('db1'), 'select active from pg_replication_slots', [{ active: false }])
    await sql(shop().url('db1'), `select pg_drop_replication_slot('db2')`)
    await sql(shop().url('db1'), 'insert into sale values (3)')
    expect(await shop().kinds()).toEqual(['create-slot', 'start', 'await-streaming'])
    await shop().apply()
    await shop().expectHealed()
    await shop().expectSameRows()
    expect(statSync(shop().data('db2')).ino).toBe(inode)
  })

  it('has lost its WAL and nothing has it: its data are moved aside, and it is copied anew', async () => {
    const inode = statSync(shop().data('db2')).ino
    await stopServer(shop().data('db2'))
    await shop().loseWal()
    const plan = await shop().run(['plan'])
    expect(plan.stdout).toMatch(
      /1\. db2: move its data aside \[replaces data\]\n +it cannot catch up: db2 goes on from 0\/\w+, and db1 has WAL from 0\/\w+ on; its data are kept as .*db2\.before-<time in UTC>, which nothing deletes\n/,
    )
    expect(await shop().kinds()).toEqual(anew)
    await shop().apply()
    await shop().expectMadeAnew(inode)
    expect(existsSync(shop().file(`${shop().aside()[0]}/global/pg_control`))).toBe(true)
    shop().removeAside()
  })

  it('runs and has lost its WAL: it is stopped first, and the plan says that connections are interrupted', async () => {
    // Not frozen: its WAL sender could not end, with a full socket before it, and would hold its slot.
    await sql(shop().url('db2'), `alter system set primary_conninfo = ''`)
    await sql(shop().url('db2'), 'select pg_reload_conf()')
    await untilRows(shop().url('db2'), 'select count(*)::int as n from pg_stat_wal_receiver', [{ n: 0 }])
    await shop().loseWal()
    await sql(shop().url('db2'), 'alter system reset primary_conninfo')
    await sql(shop().url('db2'), 'select pg_reload_conf()')
    await untilRows(
      shop().url('db2'),
      `select setting <> '' as follows from pg_settings where name = 'primary_conninfo'`,
      [{ follows: true }],
    )
    await untilRows(
      shop().url('db2'),
      'select count(*)::int as n from pg_stat_wal_receiver where status = $$streaming$$',
      [{ n: 0 }],
    )
    const plan = await shop().run(['plan'])
    expect(plan.stdout).toContain('1. db2: move its data aside [interrupts connections] [replaces data]')
    await shop().apply()
    await shop().expectHealed()
    await shop().expectSameRows()
    shop().removeAside()
  })

  it('has lost its WAL and a file that its own one includes restores it: it keeps its data, and catches up', async () => {
    const inode = statSync(shop().data('db2')).ino
    await stopServer(shop().data('db2'))
    const kept = shop().file('kept')
    await shop().loseWal(() => cpSync(`${shop().data('db1')}/pg_wal`, kept, { recursive: true }))
    execFileSync('chmod', ['-R', 'a+rX', kept])
    const conf = join(shop().data('db2'), 'postgresql.conf')
    const before = readFileSync(conf, 'utf8')
    writeFileSync(conf, `include_dir 'conf.d'\n${before}`)
    mkdirSync(join(shop().data('db2'), 'conf.d'))
    writeFileSync(join(shop().data('db2'), 'conf.d', 'restore.conf'), `restore_command = 'cp ${kept}/%f %p'\n`)
    execFileSync('chmod', ['-R', 'a+rX', join(shop().data('db2'), 'conf.d')])
    expect(await shop().kinds()).toEqual(['replace-slot', 'start', 'await-streaming'])
    await shop().apply()
    await shop().expectHealed()
    await shop().expectSameRows()
    expect(statSync(shop().data('db2')).ino).toBe(inode)
    writeFileSync(conf, before)
    rmSync(join(shop().data('db2'), 'conf.d'), { recursive: true })
    rmSync(kept, { recursive: true })
    await sql(shop().url('db2'), 'select pg_reload_conf()')
  })

  it('has lost its WAL before there was an archive, which is declared now: it is copied anew', async () => {
    const inode = statSync(shop().data('db2')).ino
    await stopServer(shop().data('db2'))
    await shop().loseWal()
    shop().declare({ more: ['archive: { directory: ./archive }'] })
    expect(await shop().kinds()).toEqual(expect.arrayContaining(['create-archive', ...anew]))
    expect(await shop().apply()).toMatchObject({ code: 0 })
    await shop().expectMadeAnew(inode)
    shop().removeAside()
    // Nothing that it needs comes into the archive any more, while that is there.
    await stopServer(shop().data('db2'))
    await shop().loseWal()
    // The archiver of the primary goes on, and may put a file into it meanwhile.
    rmSync(shop().file('archive'), { recursive: true, maxRetries: 20 })
    mkdirSync(shop().file('archive'), { mode: 0o777 })
    chmodSync(shop().file('archive'), 0o777)
    expect(await shop().kinds()).toEqual(anew)
    await shop().apply()
    await shop().expectHealed()
    await shop().expectSameRows()
    shop().removeAside()
    shop().declare()
    await shop().apply()
    // The archiver of the primary goes on, and may put a file into it meanwhile.
    rmSync(shop().file('archive'), { recursive: true, maxRetries: 20 })
  })

  it('has lost its WAL and an archive has it: it keeps its data, and catches up from there', async () => {
    shop().declare({ more: ['archive: { directory: ./archive }'] })
    await shop().apply()
    const inode = statSync(shop().data('db2')).ino
    await stopServer(shop().data('db2'))
    await shop().loseWal()
    expect(await shop().kinds()).toEqual(['replace-slot', 'start', 'await-streaming'])
    await shop().apply()
    await shop().expectHealed()
    await shop().expectSameRows()
    expect(statSync(shop().data('db2')).ino).toBe(inode)
    expect(shop().aside()).toEqual([])
    shop().declare()
    await shop().apply()
  })
}
