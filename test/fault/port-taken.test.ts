import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { applyPlan } from '../../packages/maestra/src/apply/apply-plan.js'
import { readCluster } from '../../packages/maestra/src/cli/cluster-file.js'
import { clusterSite } from '../../packages/maestra/src/cli/cluster-site.js'
import { planCluster } from '../../packages/maestra/src/plan/plan-cluster.js'
import { observeCluster } from '../../packages/maestra/src/server/observe-cluster.js'
import { ClusterFolder } from '../harness/cluster-folder.js'
import { type Listener, listenOn } from '../harness/ports.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

let workspace: Workspace
let shop: ClusterFolder

beforeAll(async () => {
  workspace = openWorkspace()
  shop = await ClusterFolder.open(workspace, 'shop', ['db1', 'db2'])
  process.env['MAESTRA_CACHE'] = workspace.cache
})

afterAll(() => workspace.remove())

it('is refused before anything is made, with the port named', async () => {
  await using _ = await listenOn(shop.port('db2'))
  for (const args of [['plan'], ['apply', '--yes']]) {
    const run = await shop.run(args)
    expect(run).toMatchObject({ code: 1, stderr: '' })
    expect(run.stdout).toMatch(
      new RegExp(`refused +db2: its server cannot listen on port ${shop.port('db2')} of 127\\.0\\.0\\.1`),
    )
  }
  expect(readdirSync(shop.directory)).toEqual(['maestra.yaml'])
})

it('is an error of the start when it is taken after the plan, and the next apply goes on', async () => {
  const site = clusterSite()
  const { cluster } = await readCluster(shop.file('maestra.yaml'))
  const plan = planCluster(cluster, await observeCluster(site, cluster))
  let listening: Promise<Listener> | undefined
  const apply = applyPlan(plan, {
    site,
    cluster,
    onEvent: (event) => {
      if (event.kind === 'step-started' && event.step.kind === 'initialise') listening = listenOn(shop.port('db1'))
    },
  })
  await expect(apply).rejects.toMatchObject({
    code: 'server-did-not-start',
    message: expect.stringMatching(/db1 did not start.*could not create any TCP\/IP sockets/),
    hint: expect.stringContaining('db1.log'),
  })
  await (await listening)?.[Symbol.asyncDispose]()
  await shop.apply()
  expect((await shop.status()).nodes.map((node) => node.state)).toEqual(['running', 'streaming'])
})
