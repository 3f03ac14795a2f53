import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Sandbox } from 'maestra'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { LocalFiles } from '../../packages/maestra/src/host/local/local-files.js'
import { downSandbox, openSandbox } from '../../packages/maestra/src/sandbox/open-sandbox.js'
import type { SandboxRecord } from '../../packages/maestra/src/sandbox/sandbox-record.js'
import { startSandbox } from '../../packages/maestra/src/sandbox/start-sandbox.js'
import { bin, type MaestraRun, maestra } from '../harness/maestra.js'
import { type Listener, listenOn } from '../harness/ports.js'
import { untilGone } from '../harness/processes.js'
import { runningServer } from '../harness/servers.js'
import { sql, untilRows } from '../harness/sql.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'
import { keeperOf, untilNothingIsLeft } from './owner-killed.js'

let workspace: Workspace

beforeAll(() => {
  workspace = openWorkspace()
  process.env['MAESTRA_CACHE'] = workspace.cache
})

afterEach(async () => {
  vi.restoreAllMocks()
  await untilNothingIsLeft(workspace)
})

afterAll(() => workspace.remove())

/** Waits before a sandbox is written down, which is after its ports were chosen and before one of them is used. */
function beforeRecorded(act: (record: SandboxRecord) => Promise<void>): void {
  const create = LocalFiles.prototype.create
  vi.spyOn(LocalFiles.prototype, 'create').mockImplementation(async function (this: LocalFiles, path, text, options) {
    if (path.endsWith('.json')) await act(JSON.parse(text))
    return await create.call(this, path, text, options)
  })
}

const inFolder = (name: string) => readdirSync(join(workspace.cache, name))

describe('a port of a sandbox that another program takes after it was chosen', () => {
  const kinds: readonly (readonly [string, (record: SandboxRecord) => number | undefined])[] = [
    ['a server', ({ ports }) => ports[1]],
    ['a link', ({ ports, keeper }) => ports.filter((port) => port !== keeper.port)[2]],
    ['the keeper', ({ keeper }) => keeper.port],
  ]

  it.each(kinds)('is replaced by another: that of %s', async (_, portOf) => {
    const records: SandboxRecord[] = []
    const listeners: Listener[] = []
    beforeRecorded(async (record) => {
      records.push(record)
      if (records.length === 1) listeners.push(await listenOn(portOf(record) ?? 0))
    })
    await using sandbox = await startSandbox({ replicas: 1 })
    const [first, second, ...more] = records
    expect(more).toEqual([])
    expect(sandbox.directory).toBe(second?.directory)
    expect(second?.ports).not.toContain(portOf(first as SandboxRecord))
    await sql(sandbox.primary.url, 'create table sale as select 1 as id')
    await untilRows(sandbox.replicas[0]?.url ?? '', 'select id from sale', [{ id: 1 }])
    // Nothing of the first attempt is left, and of the second what it needs.
    expect(inFolder('sandboxes').sort()).toEqual([basename(sandbox.directory), 'sandbox.json'].sort())
    expect(inFolder('ports')).toEqual([...(second?.ports ?? [])].map(String).sort())
    for (const listener of listeners) await listener[Symbol.asyncDispose]()
  })

  it('is an error, and leaves nothing, where every port is taken at once', async () => {
    const listeners: Listener[] = []
    beforeRecorded(async ({ ports }) => {
      listeners.push(...(await Promise.all(ports.map(listenOn))))
    })
    await expect(startSandbox({ replicas: 0 })).rejects.toMatchObject({
      code: expect.stringMatching(/port-taken|plan-refused/),
    })
    expect(listeners).toHaveLength(6)
    for (const listener of listeners) await listener[Symbol.asyncDispose]()
  })
})

describe('a replica that is killed while its sandbox starts', () => {
  it('has the start fail in one clear line, and leaves nothing', async () => {
    let directory = ''
    beforeRecorded(async (record) => {
      directory = record.directory
    })
    const start = startSandbox({
      replicas: 1,
      onEvent: ({ kind, step }) => {
        if (kind !== 'step-started' || step.kind !== 'await-streaming') return
        process.kill(runningServer(join(directory, 'db2')), 'SIGKILL')
      },
    })
    await expect(start).rejects.toMatchObject({ message: expect.stringMatching(/^[^\n]+$/) })
  })
})

describe('a sandbox that another process takes down while it starts', () => {
  const told = { code: 'interrupted', message: 'sandbox shop was taken down while it started' }

  /** Starts it, and calls `act` once when it begins that step. */
  async function startUntil(moment: string, act: () => void): Promise<unknown> {
    let acted = false
    return await startSandbox({
      name: 'shop',
      replicas: 1,
      onEvent: ({ kind, step }) => {
        if (acted || kind !== 'step-started' || !('node' in step) || `${step.kind} ${step.node}` !== moment) return
        acted = true
        act()
      },
    }).catch((error: unknown) => error)
  }

  it.each(['initialise db1', 'start db2'])(
    'is down though its owner goes on making files, and the owner is told: before %s',
    async (moment) => {
      // This process stands still until that command has ended.
      const outcome = await startUntil(moment, () => {
        execFileSync(process.execPath, [bin, 'sandbox', 'down', 'shop'], { env: workspace.env })
      })
      expect(outcome).toMatchObject(told)
    },
  )

  it('is down when both work at once', async () => {
    let down: Promise<MaestraRun> | undefined
    const outcome = await startUntil('copy-primary db2', () => {
      down = maestra(workspace, ['sandbox', 'down', 'shop'])
    })
    expect(await down).toMatchObject({ code: 0, stderr: '' })
    // The command may come only when it is up.
    if (outcome instanceof Error) expect(outcome).toMatchObject(told)
  })
})

describe('a sandbox that two do something to at once', () => {
  let shop: Sandbox

  const start = async () => {
    shop = await startSandbox({ name: 'shop', replicas: 2 })
  }

  it('is down when two take it down', async () => {
    await start()
    await shop.node('db1').freeze()
    const outcomes = await Promise.allSettled([downSandbox('shop'), downSandbox('shop'), downSandbox('shop')])
    // One that came when nothing was there any more says so.
    const errors = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
    for (const error of errors) expect(error).toMatchObject({ code: 'sandbox-unknown' })
    expect(errors.length).toBeLessThan(3)
    await shop.stop()
  })

  it('is down when one takes it down while another promotes', async () => {
    await start()
    const gone = { code: 'interrupted', message: 'sandbox shop was taken down meanwhile' }
    const promoted = shop.promote('db2').then(
      () => undefined,
      (error: unknown) => error,
    )
    // Another process, as the record tells it.
    expect(await maestra(workspace, ['sandbox', 'down', 'shop'])).toMatchObject({ code: 0, stderr: '' })
    const outcome = await promoted
    // It may have been faster.
    if (outcome !== undefined) expect(outcome).toMatchObject(gone)
    await untilNothingIsLeft(workspace)
    await expect(shop.promote('db3')).rejects.toMatchObject(gone)
    await expect(shop.node('db2').pause()).rejects.toMatchObject(gone)
    await expect(shop.status()).rejects.toMatchObject(gone)
    await untilNothingIsLeft(workspace)
    await shop.stop()
  })

  it('is up when three start it', async () => {
    await start()
    await Promise.all(shop.nodes.map((node) => node.kill()))
    const keeper = keeperOf(workspace) ?? 0
    process.kill(keeper, 'SIGKILL')
    await untilGone(keeper)
    const others = await Promise.all([openSandbox('shop'), openSandbox('shop'), openSandbox('shop')])
    await Promise.all(others.map((other) => other.startAll()))
    expect((await shop.status()).nodes.map((node) => node.state)).toEqual(['running', 'streaming', 'streaming'])
    await shop.stop()
  })
})
