import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { endOwner, momentsOf } from '../fault/owner-killed.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

const hourMs = 3_600_000
let workspace: Workspace
/** Of a start that finds the cache built. */
let moments: readonly string[]

beforeAll(async () => {
  workspace = openWorkspace()
  await momentsOf(workspace, 0)
  moments = await momentsOf(workspace, 1)
})

afterAll(() => workspace.remove())

describe('a sandbox whose owner ends', () => {
  it('leaves nothing, whenever it is killed', { timeout: hourMs }, async () => {
    expect(moments.length).toBeGreaterThan(100)
    for (const at of moments) await endOwner(workspace, 1, { at })
    console.log(`${moments.length} moments`)
  })

  it('leaves nothing, whenever it calls process.exit()', { timeout: hourMs }, async () => {
    for (const at of moments.filter((_, index) => index % 5 === 0)) {
      await endOwner(workspace, 1, { at, by: 'process.exit' })
    }
  })

  // Between its start and its postmaster.pid nobody can see a server from outside.
  it.each(['db1', 'db2'])('leaves nothing while the server of %s starts', { timeout: hourMs }, async (node) => {
    for (let laterMs = 0; laterMs <= 40; laterMs += 2) {
      await endOwner(workspace, 1, { at: `after spawn postgres -D ${node}`, laterMs })
    }
  })
})
