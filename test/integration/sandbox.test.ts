import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { MaestraError, type Sandbox, startSandbox } from 'maestra'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startSandbox as startWithEvents } from '../../packages/maestra/src/sandbox/start-sandbox.js'
import { maestra, startMaestra } from '../harness/maestra.js'
import { isRunning, processesBelow, untilGone } from '../harness/processes.js'
import { runningServer } from '../harness/servers.js'
import { refusal, sql, untilRows } from '../harness/sql.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

let workspace: Workspace
let shop: Sandbox

beforeAll(async () => {
  workspace = openWorkspace()
  process.env['MAESTRA_CACHE'] = workspace.cache
  shop = await startSandbox({ name: 'shop', replicas: 2, parameters: { work_mem: '5MB' } })
})

afterAll(async () => {
  await shop?.stop()
  await workspace.remove()
})

/** Names and directories of sandboxes, of which nothing may be left. */
function sandboxFiles(): readonly string[] {
  return readdirSync(join(workspace.cache, 'sandboxes')).filter((name) => !name.startsWith('shop'))
}

function ofShop(): readonly number[] {
  return processesBelow(shop.directory)
}

async function systemIdentifier(url: string): Promise<unknown> {
  const rows = await sql(url, 'select system_identifier::text as id from pg_control_system()')
  return rows[0]?.['id']
}

describe('a sandbox that is up', () => {
  it('has replicas that stream from its primary', async () => {
    const senders = await sql(shop.primary.url, 'select application_name, state from pg_stat_replication order by 1')
    expect(senders).toEqual([
      { application_name: 'db2', state: 'streaming' },
      { application_name: 'db3', state: 'streaming' },
    ])
    expect(shop.nodes.map((node) => [node.name, node.role])).toEqual([
      ['db1', 'primary'],
      ['db2', 'standby'],
      ['db3', 'standby'],
    ])
  })

  it('shows on each replica what was written on the primary', async () => {
    await sql(shop.primary.url, `create table greeting as select 'hola' as text`)
    for (const replica of shop.replicas) await untilRows(replica.url, 'select * from greeting', [{ text: 'hola' }])
  })

  it('refuses a write on a replica', async () => {
    for (const replica of shop.replicas) expect(await refusal(replica.url, 'create table t ()')).toBe('25006')
  })

  it('runs its servers with the parameters that were asked for', async () => {
    for (const node of shop.nodes) expect(await sql(node.url, 'show work_mem')).toEqual([{ work_mem: '5MB' }])
  })

  it('tells the state of its servers', async () => {
    const status = await shop.status()
    expect(status.nodes.map((node) => node.state)).toEqual(['running', 'streaming', 'streaming'])
  })

  it('keeps its name: another of the same name is refused', async () => {
    await expect(startSandbox({ name: 'shop' })).rejects.toMatchObject({ code: 'sandbox-exists' })
    expect(sandboxFiles()).toEqual([])
  })

  it('is asked by `sandbox sql`, and listed by `sandbox list`', async () => {
    const rows = await maestra(workspace, ['sandbox', 'sql', '--name', 'shop', '--json', 'db2', 'select 1 as one'])
    expect(JSON.parse(rows.stdout)).toEqual([[{ one: '1' }]])
    const list = await maestra(workspace, ['sandbox', 'list', '--json'])
    const [listed] = JSON.parse(list.stdout) as readonly Record<string, unknown>[]
    const nodes = shop.nodes.map(({ name, role, url }) => ({ name, role, url }))
    expect(listed).toMatchObject({ name: 'shop', directory: shop.directory, ownerPid: process.pid, nodes })
  })
})

describe('the end of a sandbox', () => {
  it('leaves no process and no directory, also when it is stopped twice', async () => {
    const sandbox = await startSandbox({ replicas: 1 })
    const pids = processesBelow(sandbox.directory)
    expect(pids.length).toBeGreaterThan(2)
    await Promise.all([sandbox.stop(), sandbox.stop()])
    await sandbox.stop()
    await Promise.all(pids.map(untilGone))
    expect(sandboxFiles()).toEqual([])
  })

  it('comes with the end of the block that used it', async () => {
    let directory = ''
    let server = 0
    {
      await using sandbox = await startSandbox({ replicas: 0 })
      expect(sandbox.replicas).toEqual([])
      directory = sandbox.directory
      server = runningServer(join(directory, 'db1'))
      await sql(sandbox.primary.url, 'create table t ()')
    }
    expect(isRunning(server)).toBe(false)
    expect(existsSync(directory)).toBe(false)
  })

  it('comes by `sandbox down`, whoever started it', async () => {
    const sandbox = await startSandbox({ replicas: 0, name: 'given-up' })
    const run = await maestra(workspace, ['sandbox', 'down', 'given-up'])
    expect(run).toMatchObject({ code: 0, stderr: '' })
    expect(existsSync(sandbox.directory)).toBe(false)
    await sandbox.stop()
    expect(sandboxFiles()).toEqual([])
  })
})

describe('two sandboxes', () => {
  it('that start at the same moment share no port, name, directory or system', async () => {
    const pair = await Promise.all([startSandbox({ replicas: 1 }), startSandbox({ replicas: 1 })])
    const all = [...pair, shop]
    const ports = all.flatMap((sandbox) => sandbox.nodes.map((node) => node.port))
    expect(new Set(ports).size).toBe(7)
    expect(new Set(all.map((sandbox) => sandbox.name)).size).toBe(3)
    expect(new Set(all.map((sandbox) => sandbox.directory)).size).toBe(3)
    const systems = await Promise.all(all.map((sandbox) => systemIdentifier(sandbox.primary.url)))
    expect(new Set(systems).size).toBe(3)
    await Promise.all(pair.map((sandbox) => sandbox.stop()))
    expect(await systemIdentifier(shop.primary.url)).toBe(systems[2])
  })
})

describe('a sandbox with parameters of its own', () => {
  it.each([{ max_connections: '50' }, { MAX_WAL_SENDERS: '4' }, { max_worker_processes: '16' }])(
    'has replicas that stream: %j',
    async (parameters) => {
      await using sandbox = await startSandbox({ replicas: 1, parameters })
      const [[name = '', value] = []] = Object.entries(parameters)
      const shown = { [name.toLowerCase()]: value }
      for (const node of sandbox.nodes) expect(await sql(node.url, `show ${name}`)).toEqual([shown])
      expect((await sandbox.status()).nodes[1]?.state).toBe('streaming')
    },
  )

  it('has as many replicas as are asked for', async () => {
    await using sandbox = await startSandbox({ replicas: 12 })
    const states = (await sandbox.status()).nodes.map((node) => node.state)
    expect(states).toEqual(['running', ...Array<string>(12).fill('streaming')])
  })
})

describe('a sandbox that cannot be', () => {
  it.each([{ recovery_min_apply_delay: '1h' }, { Recovery_Target_Timeline: 'current' }])(
    'is refused: the parameters %j',
    async (parameters) => {
      await expect(startSandbox({ parameters })).rejects.toMatchObject({ code: 'bad-value' })
      expect(sandboxFiles()).toEqual([])
    },
  )

  it.each([-1, 1.5, 21, Number.NaN])('is refused: %s replicas', async (replicas) => {
    await expect(startSandbox({ replicas })).rejects.toMatchObject({ code: 'bad-value' })
    expect(sandboxFiles()).toEqual([])
  })

  it.each(['Shop', 'a b', '../shop', ''])('is refused: the name "%s"', async (name) => {
    await expect(startSandbox({ name })).rejects.toBeInstanceOf(MaestraError)
    expect(sandboxFiles()).toEqual([])
  })

  it('says which parameter its servers do not take, and leaves nothing', async () => {
    const start = startSandbox({ replicas: 1, parameters: { work_mem: 'plenty' } })
    await expect(start).rejects.toThrow(/work_mem/)
    expect(sandboxFiles()).toEqual([])
  })

  it.each(['initialise', 'copy-primary', 'await-streaming'])(
    'leaves nothing when it is aborted in %s',
    async (kind) => {
      const controller = new AbortController()
      const reason = new Error('the suite was stopped')
      const start = startWithEvents({
        replicas: 1,
        signal: controller.signal,
        onEvent: (event) => {
          if (event.kind === 'step-started' && event.step.kind === kind) controller.abort(reason)
        },
      })
      await expect(start).rejects.toBe(reason)
      expect(sandboxFiles()).toEqual([])
      await Promise.all(
        processesBelow(workspace.cache)
          .filter((pid) => !ofShop().includes(pid))
          .map(untilGone),
      )
    },
  )
})

describe('a sandbox whose owner was killed', () => {
  async function orphan(): Promise<{ readonly directory: string; readonly pids: readonly number[] }> {
    const owner = startMaestra(workspace, ['sandbox', 'up', '--replicas', '1', '--json'])
    const [line] = await owner.prints(/^\{.*\}\n/)
    owner.signal('SIGKILL')
    await owner.end()
    const { directory } = JSON.parse(line) as { readonly directory: string }
    return { directory, pids: processesBelow(directory) }
  }

  it('is taken down by the next `sandbox list`; one that is up is left alone', async () => {
    const { directory, pids } = await orphan()
    expect(pids.length).toBeGreaterThan(2)
    const before = await sql(shop.primary.url, 'select pg_postmaster_start_time()')
    const list = await maestra(workspace, ['sandbox', 'list', '--json'])
    expect((JSON.parse(list.stdout) as { name: string }[]).map((sandbox) => sandbox.name)).toEqual(['shop'])
    await Promise.all(pids.map(untilGone))
    expect(existsSync(directory)).toBe(false)
    expect(sandboxFiles()).toEqual([])
    expect(await sql(shop.primary.url, 'select pg_postmaster_start_time()')).toEqual(before)
  })

  it('is taken down by the next start of another', async () => {
    const { directory, pids } = await orphan()
    await using sandbox = await startSandbox({ replicas: 0 })
    expect(sandbox.name).toBe('sandbox')
    await Promise.all(pids.map(untilGone))
    expect(existsSync(directory)).toBe(false)
  })
})
