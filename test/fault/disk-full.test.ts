import { spawn } from 'node:child_process'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { isRoot } from '../harness/as-user.js'
import { ClusterFolder } from '../harness/cluster-folder.js'
import { bin, type MaestraRun } from '../harness/maestra.js'
import { mountSmallDisk } from '../harness/mounts.js'
import { sql } from '../harness/sql.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

let workspace: Workspace
let shop: ClusterFolder
/** What the data of the standby is in: a small disk where the tests may mount one. */
let disk: string

beforeAll(async () => {
  workspace = openWorkspace()
  shop = await ClusterFolder.open(workspace, 'shop', ['db1', 'db2'])
  disk = workspace.folder('shop/disk')
  if (isRoot) mountSmallDisk(disk, 110)
  shop.declare({ nodes: ['db1'] })
  await shop.apply()
  await sql(shop.url('db1'), 'create table sale as select 1 as id')
  shop.declare({ nodes: ['db1', 'db2'], data: { db2: './disk/db2' } })
})

afterAll(() => workspace.remove())

/** Root fills the disk; another user, who may not mount one, has a limit on the size of its files instead. */
async function applyWithoutRoom(): Promise<MaestraRun> {
  if (isRoot) {
    writeFileSync(join(disk, 'ballast'), Buffer.alloc(100 * 1024 * 1024))
    return await shop.run(['apply', '--yes'])
  }
  const limited = `trap '' XFSZ; ulimit -f 200; exec "$0" "$1" apply --yes`
  const child = spawn('sh', ['-c', limited, process.execPath, bin], { cwd: shop.directory, env: workspace.env })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  child.stdout.resume()
  const code = await new Promise<number>((resolve) => child.once('close', (ended) => resolve(ended ?? -1)))
  return { code, stdout: '', stderr }
}

it('a disk that is full while a standby is copied is an error with its path, loses nothing, and can be gone on from', async () => {
  const run = await applyWithoutRoom()
  expect(run.code).toBe(1)
  expect(run.stderr).toMatch(new RegExp(`^Error: .*${disk}/db2`))
  expect(run.stderr).toMatch(isRoot ? /no space left on the device/ : /file too large|EFBIG/i)
  expect(readdirSync(disk)).toEqual(isRoot ? ['ballast'] : [])
  expect(await sql(shop.url('db1'), 'select id from sale')).toEqual([{ id: 1 }])
  expect((await shop.status()).nodes.map((node) => node.state)).toEqual(['running', 'stopped'])

  rmSync(join(disk, 'ballast'), { force: true })
  await shop.apply()
  expect((await shop.status()).nodes.map((node) => node.state)).toEqual(['running', 'streaming'])
})
