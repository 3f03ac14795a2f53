import { readdirSync, rmSync, statSync } from 'node:fs'
import { expect } from 'vitest'
import { ClusterFolder, type ClusterText, portsFor, quickParameters } from '../../harness/cluster-folder.js'
import { binOf, type Major } from '../../harness/majors.js'
import { sql, untilRows } from '../../harness/sql.js'
import type { Workspace } from '../../harness/workspace.js'

type PlannedStep = { readonly kind: string; readonly node: string; readonly why: string }

const both = ['db1', 'db2']

/** A primary db1 with the table `sale`, and its replica db2. */
export class HealedShop extends ClusterFolder {
  readonly workspace: Workspace
  readonly #postgres: Pick<ClusterText, 'version' | 'bin'>

  private constructor(
    workspace: Workspace,
    ports: ReadonlyMap<string, number>,
    postgres: Pick<ClusterText, 'version' | 'bin'>,
  ) {
    super(workspace, 'shop', ports)
    this.workspace = workspace
    this.#postgres = postgres
  }

  static async start(workspace: Workspace, major: Major): Promise<HealedShop> {
    const bin = await binOf(major, workspace)
    const shop = new HealedShop(workspace, await portsFor(both), {
      version: major.version,
      ...(bin !== undefined && { bin }),
    })
    shop.declare()
    await shop.apply()
    await sql(shop.url('db1'), 'create table sale as select 1 as id')
    return shop
  }

  override declare(text: Partial<ClusterText> = {}): void {
    super.declare({
      ...this.#postgres,
      nodes: both,
      parameters: [...quickParameters, 'wal_retrieve_retry_interval: 100ms'],
      ...text,
    })
  }

  async ask(node: string, text: string): Promise<unknown> {
    const [row] = await sql(this.url(node), text)
    return Object.values(row ?? {})[0]
  }

  async plannedSteps(args: readonly string[] = []): Promise<readonly PlannedStep[]> {
    return JSON.parse((await this.run(['plan', '--json', ...args])).stdout).steps
  }

  async kinds(args: readonly string[] = []): Promise<readonly string[]> {
    return (await this.plannedSteps(args)).map(({ kind }) => kind)
  }

  /** Names beside the data of db2 that hold data of before. */
  aside(): readonly string[] {
    return readdirSync(this.directory).filter((name) => /^db2\.before-\d{8}T\d{6}Z$/.test(name))
  }

  /** Removes WAL that db2 needs from the primary, and with it what its slot is for. */
  async loseWal(beforeEach: () => void = () => {}): Promise<void> {
    await sql(this.url('db1'), 'alter system set max_slot_wal_keep_size = 0')
    await sql(this.url('db1'), 'select pg_reload_conf()')
    await untilRows(this.url('db1'), 'show max_slot_wal_keep_size', [{ max_slot_wal_keep_size: '0' }])
    for (let segment = 0; segment < 3; segment += 1) {
      await sql(this.url('db1'), 'insert into sale values (2)')
      await sql(this.url('db1'), 'select pg_switch_wal()')
      beforeEach()
      await sql(this.url('db1'), 'checkpoint')
    }
    await untilRows(this.url('db1'), `select wal_status from pg_replication_slots where slot_name = 'db2'`, [
      { wal_status: 'lost' },
    ])
    await sql(this.url('db1'), 'alter system reset max_slot_wal_keep_size')
    await sql(this.url('db1'), 'select pg_reload_conf()')
    await untilRows(this.url('db1'), 'show max_slot_wal_keep_size', [{ max_slot_wal_keep_size: '16GB' }])
  }

  /** It is as declared, streams through its slot, and has what the primary has. */
  async expectHealed(): Promise<void> {
    expect((await this.run(['plan'])).stdout).toBe('cluster shop: nothing to do\n')
    const text = `select s.slot_name, r.state from pg_replication_slots s join pg_stat_replication r on r.pid = s.active_pid`
    expect(await sql(this.url('db1'), text)).toEqual([{ slot_name: 'db2', state: 'streaming' }])
  }

  async expectSameRows(): Promise<void> {
    const count = 'select count(*)::int from sale'
    expect(await this.ask('db2', count)).toBe(await this.ask('db1', count))
  }
  /** db2 is whole again, and its directory of before, which had that inode, is there untouched beside it. */
  async expectMadeAnew(inodeBefore: number): Promise<void> {
    await this.expectHealed()
    await this.expectSameRows()
    expect(this.aside().map((name) => statSync(this.file(name)).ino)).toEqual([inodeBefore])
  }

  /** As a user does who needs them no more. */
  removeAside(): void {
    rmSync(this.file(this.aside()[0] ?? ''), { recursive: true })
  }
}
