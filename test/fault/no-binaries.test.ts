import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ClusterFolder } from '../harness/cluster-folder.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

let workspace: Workspace
let shop: ClusterFolder

beforeAll(async () => {
  workspace = openWorkspace()
  shop = await ClusterFolder.open(workspace, 'shop', ['db1'])
})

afterAll(() => workspace.remove())

it('is refused with the places that were looked at: a bin directory that is empty', async () => {
  const bin = workspace.folder('shop/bin')
  shop.declare({ nodes: ['db1'], bin: './bin' })
  for (const args of [['plan'], ['apply', '--yes']]) {
    const run = await shop.run(args)
    expect(run).toMatchObject({ code: 1, stderr: '' })
    expect(run.stdout).toMatch(new RegExp(`refused +db1: no programs of PostgreSQL 18 .*${bin}`))
    expect(run.stdout).toMatch(/Try: install them, or name their directory as bin/)
  }
  expect(readdirSync(shop.directory)).toEqual(['bin', 'maestra.yaml'])
})

it('is refused with the places that were looked at: a version that is nowhere', async () => {
  shop.declare({ nodes: ['db1'], version: 16 })
  const env = { ...workspace.env, PATH: '' }
  const run = await shop.run(['plan'], { env })
  expect(run).toMatchObject({ code: 1, stderr: '' })
  expect(run.stdout).toMatch(
    /refused +db1: no programs of PostgreSQL 16 .*PATH.*\/usr\/lib\/postgresql\/16\/bin.*installed packages.*pg16/,
  )
})

it('is none when PATH is empty and the embedded programs have the version', async () => {
  shop.declare({ nodes: ['db1'] })
  const { PATH: _, ...env } = workspace.env
  const run = await shop.run(['plan', '--detailed-exitcode'], { env })
  expect(run).toMatchObject({ code: 3, stderr: '' })
})
