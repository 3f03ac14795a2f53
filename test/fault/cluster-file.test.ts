import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
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

const head = 'cluster: shop\npostgres: { version: 18 }\n'
const node = 'nodes:\n  - { name: db1, data: ./db1, primary: true }\n'

/** A mistake, its file, where it is said to be, and what is said. */
const mistakes: readonly (readonly [mistake: string, text: string | Buffer, place: string, words: RegExp])[] = [
  ['a wrong type', `cluster: shop\npostgres: { version: eighteen }\n${node}`, '2:22', /version/],
  ['a tab', `${head}nodes:\n\t- { name: db1, data: ./db1, primary: true }\n`, '4:1', /tab/i],
  ['an unknown key', `${head}${node}alow: [10.0.0.0/8]\n`, '5:1', /alow[\s\S]*allow/],
  ['a duplicate key', `${head}${node}cluster: lab\n`, '5:1', /cluster/],
  ['two nodes on one port', `${head}${node}  - { name: db2, data: ./db2 }\n`, '5:', /5432/],
  ['rubbish', Buffer.from([0x00, 0xff, 0xfe, 0x89, 0x50, 0x4e, 0x47, 0x0a, 0x1a]), '1:', /./],
  ['nothing', '', '1:1', /./],
]

it.each(mistakes)('%s is an error with its line, and nothing is made', async (_, text, place, words) => {
  shop.write(text)
  for (const args of [['plan'], ['apply', '--yes'], ['status', '--json']]) {
    const run = await shop.run(args)
    expect(run.code).toBe(2)
    expect(run.stderr).toContain(`Error: ${shop.file('maestra.yaml')}:${place}`)
    expect(run.stderr).toMatch(words)
    expect(run.stderr).not.toContain('fault of Maestra')
    expect(run.stdout).toBe('')
  }
  expect(readdirSync(shop.directory)).toEqual(['maestra.yaml'])
})

it('a file that is not there is an error that names it', async () => {
  rmSync(shop.file('maestra.yaml'))
  const run = await shop.run(['apply', '--yes'])
  expect(run).toMatchObject({ code: 2, stdout: '' })
  expect(run.stderr).toContain(shop.file('maestra.yaml'))
  expect(run.stderr).toContain('--file')
  expect(readdirSync(shop.directory)).toEqual([])
})

it('a directory in place of the file is an error that names it', async () => {
  mkdirSync(join(shop.directory, 'maestra.yaml'))
  const run = await shop.run(['plan'])
  expect(run).toMatchObject({ code: 2, stdout: '' })
  expect(run.stderr).toMatch(/cannot read the cluster file .*maestra\.yaml.*directory/i)
  rmSync(shop.file('maestra.yaml'), { recursive: true })
})

it('a command that there is not is bad usage', async () => {
  for (const args of [['aply'], ['plan', '--jsn'], ['sandbox', 'up', '--replicas', 'two'], []]) {
    const run = await shop.run(args)
    expect(run.code).toBe(2)
    expect(run.stdout).toBe('')
    expect(run.stderr).toMatch(/Error:|Usage:/)
  }
})
