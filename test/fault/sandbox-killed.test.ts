import { existsSync } from 'node:fs'
import { type Sandbox, startSandbox } from 'maestra'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { maestra, startMaestra } from '../harness/maestra.js'
import { untilGone } from '../harness/processes.js'
import { chosen, seed } from '../harness/seed.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'
import { endOwner, keeperOf, momentsOf, untilNothingIsLeft } from './owner-killed.js'

let workspace: Workspace
/** Of a start that builds the cache, and of one that finds it. */
let building: readonly string[]
let moments: readonly string[]

beforeAll(async () => {
  workspace = openWorkspace()
  process.env['MAESTRA_CACHE'] = workspace.cache
  building = await momentsOf(workspace, 0)
  moments = await momentsOf(workspace, 1)
})

afterAll(() => workspace.remove())

/** One of those between two moments: what is behind the first that begins with `from`, up to the first that begins with `to`. */
function between(all: readonly string[], from: string, to: string): string {
  const first = all.findIndex((at) => at.startsWith(from))
  const last = all.findIndex((at) => at.startsWith(to))
  expect([first, last]).not.toContain(-1)
  return chosen(all.slice(first, last + 1), String, `${from} ${to}`)
}

describe(`a sandbox whose owner is killed, seed ${seed}`, () => {
  it.each([
    ['before mkdir ports', 'before spawn node'],
    ['after spawn node', 'step-ended initialise db1'],
    ['step-started start db1', 'step-started copy-primary db2'],
    ['before mkdir sandboxes/sandbox-*/db2', 'step-started await-streaming'],
    ['up', 'after rm sandboxes/sandbox.json'],
  ])('leaves nothing: between %s and %s', async (from, to) => {
    await endOwner(workspace, 1, { at: between(moments, from, to) })
  })

  it('leaves nothing that a sandbox could not do with: while it builds the cache', async () => {
    const of: Workspace = {
      ...workspace,
      cache: `${workspace.cache}-2`,
      env: { ...workspace.env, MAESTRA_CACHE: `${workspace.cache}-2` },
    }
    const at = between(building, 'before mkdir binaries', 'before rename templates')
    await endOwner(of, 0, { at: at.replaceAll(workspace.cache, of.cache) })
    await endOwner(of, 0, { at: 'up' })
  })

  it('leaves nothing when it ends by process.exit() while it starts', async () => {
    await endOwner(workspace, 1, {
      at: between(moments, 'after spawn node', 'step-ended await-streaming'),
      by: 'process.exit',
    })
  })
})

describe('a sandbox whose keeper was killed', () => {
  async function withoutKeeper(): Promise<Sandbox> {
    const sandbox = await startSandbox({ replicas: 1, name: 'shop' })
    await endKeeper()
    return sandbox
  }

  async function endKeeper(): Promise<void> {
    const keeper = keeperOf(workspace) ?? 0
    process.kill(keeper, 'SIGKILL')
    await untilGone(keeper)
  }

  it('says so when its link is to be cut, and leaves nothing when it is stopped', async () => {
    const sandbox = await withoutKeeper()
    await expect(sandbox.replicas[0]?.cut()).rejects.toMatchObject({
      code: 'keeper-gone',
      hint: 'start it again: maestra sandbox start --name shop',
    })
    await sandbox.stop()
    await untilNothingIsLeft(workspace)
  })

  it('does what asks for no link', async () => {
    await using sandbox = await withoutKeeper()
    const [replica] = sandbox.replicas
    await replica?.pause()
    await replica?.resume()
    await replica?.lag('1h')
    await replica?.lag(0)
    await replica?.kill()
    await replica?.start().catch((error) => expect(error).toMatchObject({ code: 'keeper-gone' }))
  })

  it('is taken down by the next command once its owner was killed too', async () => {
    const owner = startMaestra(workspace, ['sandbox', 'up', '--replicas', '1', '--json'])
    const [line] = await owner.prints(/^\{.*\}$/m)
    await endKeeper()
    owner.signal('SIGKILL')
    await owner.end()
    expect(existsSync(JSON.parse(line).directory)).toBe(true)
    expect(await maestra(workspace, ['sandbox', 'list'])).toEqual({ code: 0, stdout: 'no sandbox is up\n', stderr: '' })
    await untilNothingIsLeft(workspace)
  })
})
