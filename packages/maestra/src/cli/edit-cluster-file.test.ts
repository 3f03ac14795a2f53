import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadCluster } from '../cluster/load-cluster.js'
import { withNode } from '../cluster/with-node.js'
import { editClusterFile } from './edit-cluster-file.js'

let folder: string
let file: string
const text =
  'cluster: shop\npostgres: { version: 18 }\nnodes:\n  - { name: db1, data: db1, primary: true }\nallow: [10.0.0.1]\n'

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'maestra-edit-'))
  file = join(folder, 'maestra.yaml')
  writeFileSync(file, text, { mode: 0o640 })
})
afterEach(() => rmSync(folder, { recursive: true }))

function before() {
  const { cluster } = loadCluster(text, file)
  if (cluster === undefined) throw new Error('the cluster file of this test is wrong')
  return cluster
}

const about = { node: 'db2', byHand: 'add it yourself' }

test('an edit of one node is written, and the file keeps its mode', async () => {
  const edited = withNode(text, { name: 'db2', port: 5433, data: 'db2' })
  expect((await editClusterFile(before(), edited, about)).nodes.map((node) => node.name)).toEqual(['db1', 'db2'])
  expect(readFileSync(file, 'utf8')).toBe(edited)
  expect(statSync(file).mode & 0o777).toBe(0o640)
})

test.each([
  ['changes what else the file says', text.replace('10.0.0.1', '10.0.0.2')],
  ['could not be made', undefined],
])('an edit that %s is not written, and a person is told what to do', async (_what, edited) => {
  await expect(editClusterFile(before(), edited, about)).rejects.toMatchObject({
    code: 'bad-usage',
    message: `${file} cannot be edited without changing more of it than db2`,
    hint: 'add it yourself',
  })
  expect(readFileSync(file, 'utf8')).toBe(text)
})
