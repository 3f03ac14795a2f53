import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ClusterFolder } from '../harness/cluster-folder.js'
import { binOf, type Major } from '../harness/majors.js'
import { stopServer } from '../harness/servers.js'
import { sql, untilRows } from '../harness/sql.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

const example = readFileSync(join(import.meta.dirname, '../../examples/cascade/maestra.yaml'), 'utf8')
const all = ['db1', 'db2', 'db3', 'db4']

let workspace: Workspace
let shop: ClusterFolder
let major: Major
let bin: string | undefined

type Change = {
  /** Whom db3 follows; db2 unless told otherwise. */
  readonly ofDb3?: string
  readonly delay?: string
  readonly connections?: number
}

/** The example as the cluster file, on ports of this folder. */
function declare({ ofDb3 = 'db2', delay = '1h', connections = 60 }: Change = {}): void {
  const text = all
    .reduce((before, node, index) => before.replace(`port: ${5441 + index}`, `port: ${shop.port(node)}`), example)
    .replace(/data: \.\/data\//g, 'data: ./')
    .replace('version: 18', `version: ${major.version}${bin === undefined ? '' : `\n  bin: ${bin}`}`)
    .replace('follows: db2', `follows: ${ofDb3}`)
    .replace('delay: 1h', `delay: ${delay}`)
  const parameters = ['fsync: off', 'unix_socket_directories: ""', `max_connections: ${connections}`]
  shop.write(`${text}parameters:\n${parameters.map((line) => `  ${line}\n`).join('')}`)
}

async function slotsOf(node: string): Promise<readonly unknown[]> {
  const rows = await sql(shop.url(node), 'select slot_name from pg_replication_slots order by 1')
  return rows.map((row) => row['slot_name'])
}

async function valueOn(node: string, setting: string): Promise<unknown> {
  return (await sql(shop.url(node), `show ${setting}`))[0]?.[setting]
}

async function statesOf(): Promise<readonly string[]> {
  const { nodes } = await shop.status()
  return nodes.map(({ name, state, follows, unknown }) => `${name} ${state} ${follows ?? '-'} ${unknown ?? ''}`.trim())
}

const chain = ['db1 running -', 'db2 streaming db1', 'db3 streaming db2', 'db4 delayed db1']

/** Which nodes were restarted, and waited for behind that, in order. */
function restartsIn(stdout: string): readonly string[] {
  return [...stdout.matchAll(/✓ (\w+): (restart|wait)/g)].map(([, node, what]) => `${what} ${node}`)
}

/** Standbys that receive their WAL from standbys, and one that replays late. Briefly: with what depends on the major alone. */
export function describeCascade(of: Major, { briefly = false } = {}): void {
  describe(`a chain of PostgreSQL ${of.version}, with a delayed replica`, () => {
    beforeAll(async () => {
      workspace = openWorkspace()
      major = of
      bin = await binOf(major, workspace)
      shop = await ClusterFolder.open(workspace, 'shop', all)
      declare()
    })

    afterAll(() => workspace.remove())

    it('is made from its upstreams, and a further apply finds nothing to do', async () => {
      const run = await shop.apply()
      expect(run.stdout).toMatch(/✓ db3: copy db2/)
      expect(await statesOf()).toEqual(chain)
      expect(await Promise.all(all.map(slotsOf))).toEqual([['db2', 'db4'], ['db3'], [], []])
      expect(await shop.apply()).toMatchObject({ stdout: 'cluster cascade: nothing to do\n' })
    })

    it('has rows at its end, and none yet on the delayed one', async () => {
      await sql(shop.url('db1'), 'create table sale as select 1 as id')
      await untilRows(shop.url('db3'), 'select id from sale', [{ id: 1 }])
      expect(await sql(shop.url('db4'), `select to_regclass('sale') as sale`)).toEqual([{ sale: null }])
      const late = (await shop.status()).nodes.find(({ name }) => name === 'db4')
      expect(late).toMatchObject({ state: 'delayed', lagBytes: expect.any(Number) })
      expect(late?.lagBytes).toBeGreaterThan(0)
      expect((await shop.run(['status'])).code).toBe(0)
    })

    it('goes on when nodes were stopped, without waiting for the delay', async () => {
      await Promise.all(['db2', 'db4'].map((node) => stopServer(shop.data(node))))
      await sql(shop.url('db1'), 'insert into sale values (2)')
      const run = await shop.apply()
      expect(restartsIn(run.stdout)).toEqual(['wait db2', 'wait db4', 'wait db3'])
      expect(await sql(shop.url('db3'), 'select count(*)::int from sale')).toEqual([{ count: 2 }])
      expect(await statesOf()).toEqual(chain)
      const plan = await shop.run(['plan'])
      expect(plan).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing to do') })
      expect(plan.stderr + plan.stdout).toContain('db4 streams from db1 when a delay is over')
    })

    if (!briefly) {
      it('is restarted along the chain for a raised setting', async () => {
        declare({ connections: 80 })
        const run = await shop.apply()
        const standbys = ['db2', 'db4', 'db3']
        expect(restartsIn(run.stdout)).toEqual([
          ...standbys.flatMap((node) => [`restart ${node}`, `wait ${node}`]),
          'restart db1',
          ...standbys.map((node) => `wait ${node}`),
        ])
        expect(await Promise.all(all.map((node) => valueOn(node, 'max_connections')))).toEqual(['80', '80', '80', '80'])
        expect(await statesOf()).toEqual(chain)
      })

      it('cannot lose a node that others follow', async () => {
        const run = await shop.run(['remove', 'db2'])
        expect(run).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('db3 follows db2') })
      })
    }

    it('has a setting lowered, but not yet where it is replayed late', async () => {
      declare({ connections: 50 })
      const run = await shop.apply()
      expect(restartsIn(run.stdout).filter((each) => each.startsWith('restart'))).toEqual(
        ['db1', 'db2', 'db3'].map((node) => `restart ${node}`),
      )
      const values = await Promise.all(all.map((node) => valueOn(node, 'max_connections')))
      expect(values).toEqual(['50', '50', '50', briefly ? '60' : '80'])
      const plan = await shop.run(['plan'])
      expect(plan.stdout).toContain('nothing to do')
      expect(plan.stderr + plan.stdout).toContain('db4 keeps max_connections')
    })

    it('has a replica moved to another node, whose slot of before is dropped', async () => {
      declare({ connections: 50, ofDb3: 'db1' })
      await shop.apply()
      expect(await statesOf()).toEqual(chain.with(2, 'db3 streaming db1'))
      expect(await Promise.all(['db1', 'db2'].map(slotsOf))).toEqual([['db2', 'db3', 'db4'], []])
      declare({ connections: 50 })
      await shop.apply()
      expect(await statesOf()).toEqual(chain)
      expect(await Promise.all(['db1', 'db2'].map(slotsOf))).toEqual([['db2', 'db4'], ['db3']])
      await sql(shop.url('db1'), 'insert into sale values (3)')
      await untilRows(shop.url('db3'), 'select count(*)::int from sale', [{ count: 3 }])
    })

    it('has the delay taken out and a setting lowered in one apply', async () => {
      declare({ connections: 40, delay: '0' })
      await shop.apply()
      expect(await Promise.all(all.map((node) => valueOn(node, 'max_connections')))).toEqual(['40', '40', '40', '40'])
      expect(await sql(shop.url('db4'), 'select count(*)::int from sale')).toEqual([{ count: 3 }])
      expect(await statesOf()).toEqual(chain.with(3, 'db4 streaming db1'))
      for (const node of all) {
        expect(readFileSync(`${shop.data(node)}.log`, 'utf8')).not.toContain('insufficient parameter settings')
      }
    })

    it('is made anew, with its data kept aside, where all of it is asked for', async () => {
      const part = await shop.run(['plan', '--replace', 'db2'])
      expect(part).toMatchObject({ code: 1, stdout: expect.stringContaining('--replace db2 --replace db3') })
      const run = await shop.run(['apply', '--yes', '--replace', 'db3', '--replace', 'db2'])
      expect(run).toMatchObject({ code: 0, stderr: '' })
      const copies = [...run.stdout.matchAll(/✓ (.*(?:aside|copy|slot).*) \(.*\)/g)].map(([, step]) => step)
      expect(copies).toEqual([
        'db3: move its data aside',
        'db2: move its data aside',
        'db2: copy db1 (base backup)',
        'db2: create the replication slot db3',
        'db3: copy db2 (base backup)',
      ])
      const aside = readdirSync(shop.directory).filter((name) => /^db\d\.before-/.test(name))
      expect(aside.map((name) => name.split('.')[0]).toSorted()).toEqual(['db2', 'db3'])
      await sql(shop.url('db1'), 'insert into sale values (4)')
      await untilRows(shop.url('db3'), 'select count(*)::int from sale', [{ count: 4 }])
      expect(await statesOf()).toEqual(chain.with(3, 'db4 streaming db1'))
      expect(await Promise.all(all.map(slotsOf))).toEqual([['db2', 'db4'], ['db3'], [], []])
      expect(await shop.apply()).toMatchObject({ stdout: 'cluster cascade: nothing to do\n' })
    })
  })
}
