import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { maestra, startMaestra } from '../harness/maestra.js'
import { isRunning, processesBelow, untilGone } from '../harness/processes.js'
import { sql, untilRows } from '../harness/sql.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

let workspace: Workspace

beforeAll(() => {
  workspace = openWorkspace()
})

afterAll(() => workspace.remove())

type Shown = {
  readonly name: string
  readonly directory: string
  readonly nodes: readonly { readonly name: string; readonly role: string; readonly url: string }[]
}

async function run(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await maestra(workspace, ['sandbox', ...args])
  if (code !== 0) throw new Error(`sandbox ${args.join(' ')} ended with ${code}: ${stderr}`)
  return stdout
}

const records = () => readdirSync(join(workspace.cache, 'sandboxes'))

describe('a detached sandbox', () => {
  let shop: Shown
  const url = (name: string) => shop.nodes.find((node) => node.name === name)?.url ?? ''

  beforeAll(async () => {
    shop = JSON.parse(await run('up', '--detach', '--durable', '--replicas', '2', '--name', 'shop', '--json')) as Shown
    await sql(url('db1'), 'create table sale (id int)')
  })

  it('outlives the command that started it, and waits for the disk where that was asked for', async () => {
    const [listed] = JSON.parse(await run('list', '--json')) as readonly Record<string, unknown>[]
    expect(listed).toMatchObject({ name: 'shop', ownerPid: null })
    expect(await sql(url('db2'), 'show fsync')).toEqual([{ fsync: 'on' }])
  })

  it('is late, paused, cut off and whole again as its commands say', async () => {
    expect(await run('lag', 'db2', '1h')).toBe('db2 replays each commit 1h after it was made\n')
    expect(await run('pause', 'db3')).toBe('db3 replays nothing\n')
    await sql(url('db1'), 'insert into sale values (1)')
    expect(await sql(url('db2'), 'select id from sale')).toEqual([])
    expect(await sql(url('db3'), 'select id from sale')).toEqual([])
    expect(await run('lag', 'db2', '0')).toBe('db2 replays at once\n')
    expect(await run('resume', 'db3')).toBe('db3 replays\n')
    for (const name of ['db2', 'db3']) await untilRows(url(name), 'select id from sale', [{ id: 1 }])
    expect(await run('cut', 'db2')).toBe('db2 is cut off\n')
    await sql(url('db1'), 'insert into sale values (2)')
    await untilRows(url('db3'), 'select count(*)::int from sale', [{ count: 2 }])
    expect(await sql(url('db2'), 'select count(*)::int from sale')).toEqual([{ count: 1 }])
    expect(await run('mend', 'db2')).toBe('db2 is no longer cut off\n')
    await untilRows(url('db2'), 'select count(*)::int from sale', [{ count: 2 }])
  })

  it('is killed, started, frozen and thawed as its commands say', async () => {
    expect(await run('kill', 'db3')).toBe('db3 is killed\n')
    await expect(sql(url('db3'), 'select')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    expect(await run('start', 'db3')).toBe('db3 runs\n')
    expect(await run('freeze', 'db1')).toBe('db1 stands still\n')
    const answer = sql(url('db1'), 'select 1 as one')
    expect(await run('thaw', 'db1')).toBe('db1 goes on\n')
    expect(await answer).toEqual([{ one: 1 }])
  })

  it('is asked by psql where that is installed', async () => {
    const { code, stdout, stderr } = await maestra(workspace, ['sandbox', 'psql', 'db2', '--', '-Atc', 'select 1 + 1'])
    if (existsSync('/usr/bin/psql')) expect({ code, stdout }).toEqual({ code: 0, stdout: '2\n' })
    else expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('sandbox sql db2') })
  })

  it('says how a command failed, and on which node', async () => {
    const wrong = await maestra(workspace, ['sandbox', 'cut', 'db1'])
    expect(wrong).toMatchObject({ code: 1, stdout: '' })
    expect(wrong.stderr).toBe(
      'Error: db1 is the primary of sandbox shop: cut asks for a replica\nTry: its replicas are db2, db3\n',
    )
    expect(await maestra(workspace, ['sandbox', 'lag', 'db2', 'soon'])).toMatchObject({ code: 2, stdout: '' })
  })

  it('changes its primary, comes up again after all of it was killed, and follows the new one', async () => {
    expect(await run('promote', 'db2')).toBe('db2 is the primary; db3 follows it\n')
    await sql(url('db2'), 'insert into sale values (3)')
    await untilRows(url('db3'), 'select count(*)::int from sale', [{ count: 3 }])
    const keeper = keeperOf(shop)
    for (const pid of [...processesBelow(shop.directory), keeper]) killIfThere(pid)
    await untilGone(keeper)
    const { stderr } = await maestra(workspace, ['sandbox', 'cut', 'db3'])
    expect(stderr).toMatch(/^Error: the keeper of sandbox shop.*\nTry: .*maestra sandbox start --name shop\n$/)
    expect(await run('start')).toBe('all servers of sandbox shop run\n')
    await sql(url('db2'), 'insert into sale values (4)')
    await untilRows(url('db3'), 'select count(*)::int from sale', [{ count: 4 }])
    await run('cut', 'db3')
    await run('mend', 'db3')
  })

  it('leaves nothing when it is taken down', async () => {
    const pids = [...processesBelow(shop.directory), keeperOf(shop)]
    await run('freeze', 'db1')
    await run('down')
    expect(pids.filter(isRunning)).toEqual([])
    expect(existsSync(shop.directory)).toBe(false)
    expect(records()).toEqual([])
    expect(readdirSync(join(workspace.cache, 'ports'))).toEqual([])
  })
})

describe('a sandbox whose owner ends', () => {
  const index = fileURLToPath(new URL('../../packages/maestra/dist/index.js', import.meta.url))

  it('ends with it, without anybody asking: the owner called process.exit()', async () => {
    const script = join(workspace.directory, 'exits.mjs')
    writeFileSync(
      script,
      `import { startSandbox } from ${JSON.stringify(index)}
      const { directory } = await startSandbox({ replicas: 1 })
      process.stdout.write(directory, () => process.exit(7))`,
    )
    const { code, stdout: directory } = await maestra(workspace, [], { script })
    expect(code).toBe(7)
    await untilNothingIsLeft(directory)
  })

  it('ends with it, without anybody asking: the owner was killed', async () => {
    const owner = startMaestra(workspace, ['sandbox', 'up', '--replicas', '1', '--json'])
    const [line] = await owner.prints(/^\{.*\}\n/)
    owner.signal('SIGKILL')
    await owner.end()
    await untilNothingIsLeft((JSON.parse(line) as Shown).directory)
  })

  it('does not keep its owner from ending when it has nothing left to do', async () => {
    const script = join(workspace.directory, 'returns.mjs')
    writeFileSync(
      script,
      `import { startSandbox } from ${JSON.stringify(index)}
      const { directory } = await startSandbox({ replicas: 0 })
      process.stdout.write(directory)`,
    )
    const { code, stdout: directory } = await maestra(workspace, [], { script })
    expect(code).toBe(0)
    await untilNothingIsLeft(directory)
  })
})

/** A process of a server may end by itself once another one has been killed. */
function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It is gone.
  }
}

function keeperOf({ directory }: Shown): number {
  return (JSON.parse(readFileSync(join(directory, 'keeper.json'), 'utf8')) as { readonly pid: number }).pid
}

/** By the keeper alone: no command is run. */
async function untilNothingIsLeft(directory: string): Promise<void> {
  expect(directory).toContain(workspace.cache)
  await waitUntil(
    () => {
      const left = [...processesBelow(directory), ...records()]
      return left.length === 0 && !existsSync(directory)
        ? { done: true, value: undefined }
        : { done: false, seen: `${left.join(', ')}` }
    },
    { awaited: `nothing of ${directory} to be left`, deadline: Deadline.after(30_000) },
  )
  expect(readdirSync(join(workspace.cache, 'ports'))).toEqual([])
}
