import { startSandbox } from 'maestra'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startMaestra } from '../harness/maestra.js'
import { sql } from '../harness/sql.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'
import { untilNothingIsLeft } from './owner-killed.js'

let workspace: Workspace

beforeAll(() => {
  workspace = openWorkspace()
  process.env['MAESTRA_CACHE'] = workspace.cache
})

afterAll(() => workspace.remove())

type Shown = {
  readonly name: string
  readonly directory: string
  readonly nodes: readonly { readonly url: string }[]
}

it('twenty sandboxes that are started at once by several processes share nothing, and nothing of them is left', async () => {
  const replicasOf = (index: number) => (index % 4 === 0 ? 1 : 0)
  const commands = [0, 1, 2, 3].map((index) =>
    startMaestra(workspace, ['sandbox', 'up', '--json', '--replicas', `${replicasOf(index)}`]),
  )
  const own = await Promise.all(Array.from({ length: 16 }, (_, index) => startSandbox({ replicas: replicasOf(index) })))
  const lines = await Promise.all(commands.map((command) => command.prints(/^\{.*\}$/m)))
  const all: readonly Shown[] = [...own, ...lines.map(([line]) => JSON.parse(line) as Shown)]

  expect(new Set(all.map(({ name }) => name)).size).toBe(20)
  expect(new Set(all.map(({ directory }) => directory)).size).toBe(20)
  const nodes = all.flatMap((sandbox) => sandbox.nodes)
  expect(new Set(nodes.map(({ url }) => new URL(url).port)).size).toBe(25)
  const identifier = 'select system_identifier::text as id from pg_control_system()'
  const systems = await Promise.all(nodes.map(({ url }) => sql(url, identifier)))
  expect(new Set(systems.map(([row]) => row?.['id'])).size).toBe(20)

  for (const command of commands) command.signal('SIGTERM')
  await Promise.all(own.map((sandbox) => sandbox.stop()))
  for (const command of commands) expect(await command.end()).toMatchObject({ code: 0 })
  await untilNothingIsLeft(workspace)
})
