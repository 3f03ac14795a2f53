import { afterAll, beforeAll, expect, it } from 'vitest'
import { ClusterFolder } from '../harness/cluster-folder.js'
import { startMaestra } from '../harness/maestra.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

let workspace: Workspace
let shop: ClusterFolder

beforeAll(async () => {
  workspace = openWorkspace()
  shop = await ClusterFolder.open(workspace, 'shop', ['db1', 'db2'])
})

afterAll(() => workspace.remove())

it('of two applies at once one works, and the other says who does', async () => {
  const first = startMaestra(workspace, ['apply', '--yes'], { cwd: shop.directory })
  // The lock is there from before the first step to after the last.
  await first.prints(/✓ complete the passfile/)
  // It stands still meanwhile: a server that it starts would be a reason of its own for the other to end.
  process.kill(first.pid, 'SIGSTOP')
  const second = await shop.run(['apply', '--yes']).finally(() => process.kill(first.pid, 'SIGCONT'))
  expect(second.code).toBe(1)
  expect(second.stderr).toMatch(
    new RegExp(`^Error: another apply works on this cluster: .*process ${first.pid}, since`),
  )
  expect(second.stderr).toContain('Try: wait until it has ended')
  expect(await first.end()).toMatchObject({ code: 0, stderr: '' })
  expect((await shop.run(['plan', '--detailed-exitcode'])).code).toBe(0)
})

it('of many applies at the same moment none spoils the work of another', async () => {
  const lab = await ClusterFolder.open(workspace, 'lab', ['db1'])
  const runs = await Promise.all([1, 2, 3].map(() => lab.run(['apply', '--yes'])))
  const codes = runs.map((run) => run.code)
  expect(codes).toContain(0)
  for (const run of runs.filter(({ code }) => code !== 0)) {
    expect(run).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/another apply works|cluster changed after the plan/),
    })
  }
  expect((await lab.run(['plan', '--detailed-exitcode'])).code).toBe(0)
})
