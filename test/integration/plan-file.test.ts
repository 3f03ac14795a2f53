import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ClusterFolder, quickParameters } from '../harness/cluster-folder.js'
import { startMaestra } from '../harness/maestra.js'
import { stopServer } from '../harness/servers.js'
import { sql } from '../harness/sql.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

let workspace: Workspace
let shop: ClusterFolder

beforeAll(async () => {
  workspace = openWorkspace()
  shop = await ClusterFolder.open(workspace, 'shop', ['db1', 'db2'])
})

afterAll(() => workspace.remove())

const declare = (...more: readonly string[]) =>
  shop.declare({ nodes: ['db1', 'db2'], parameters: [...quickParameters, ...more] })

async function kept(name: string): Promise<string> {
  const run = await shop.run(['plan', '--out', name])
  expect(run).toMatchObject({ code: 0, stderr: '' })
  expect(run.stdout).toContain(`\nkept in ${shop.file(name)}; to do exactly this: maestra apply ${shop.file(name)}\n`)
  return shop.file(name)
}

describe('a plan in a file', () => {
  it('is not carried out when it was interrupted; what is left is a new plan', async () => {
    const file = await kept('first')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const apply = startMaestra(workspace, ['apply', file], { cwd: shop.directory })
    await apply.prints(/✓ db1: initialise/)
    apply.signal('SIGINT')
    const stopped = await apply.end()
    expect(stopped.code).toBe(130)
    expect(stopped.stderr).toMatch(
      /^Error: stopped by SIGINT; left to do: .*\nTry: maestra apply goes on from there\n$/,
    )
    const again = await shop.run(['apply', 'first'])
    expect(again).toMatchObject({ code: 1, stdout: '' })
    expect(again.stderr).toMatch(
      /^Error: the plan of .* steps that are gone: complete the passfile; db1: initialise .*\nTry: /,
    )
  })

  it('is carried out from anywhere, without a question, and only once', async () => {
    const file = await kept('whole')
    const run = await shop.run(['apply', file], { cwd: workspace.directory })
    expect(run).toMatchObject({ code: 0, stderr: '' })
    expect(run.stdout).toContain('✓ db2: wait until it streams from db1')
    expect(run.stdout.endsWith('\ncluster shop is as declared\n')).toBe(true)
    for (const password of shop.passwords()) expect(readFileSync(file, 'utf8')).not.toContain(password)
    const again = await shop.run(['apply', file])
    expect(again).toMatchObject({ code: 1, stdout: '' })
    expect(again.stderr).toContain('steps that are gone: ')
  })

  it('with nothing to do does nothing, and is refused once there is something', async () => {
    const file = await kept('idle')
    expect(await shop.run(['apply', file])).toMatchObject({ code: 0, stdout: 'cluster shop: nothing to do\n' })
    await stopServer(shop.data('db2'))
    const run = await shop.run(['apply', file])
    expect(run).toMatchObject({ code: 1, stdout: '' })
    expect(run.stderr).toContain('steps that are new: db2: start its server; db2: wait until it streams from db1\n')
    await shop.apply()
  })

  it('is refused when the cluster file declares something else, and not for a comment', async () => {
    declare('work_mem: 16MB')
    const file = await kept('edited')
    declare('work_mem: 32MB')
    const edited = await shop.run(['apply', file])
    expect(edited.code).toBe(1)
    expect(edited.stderr).toContain(`${shop.file('maestra.yaml')} declares something else than at that time`)
    expect(edited.stderr).toContain('work_mem (not set) -> 32MB')
    expect(await sql(shop.url('db1'), 'show work_mem')).toEqual([{ work_mem: '4MB' }])
    declare('work_mem: 16MB # for reports')
    expect(await shop.run(['apply', file])).toMatchObject({ code: 0, stderr: '' })
    expect(await sql(shop.url('db1'), 'show work_mem')).toEqual([{ work_mem: '16MB' }])
  })

  it('is written over an older plan alone, and made private again', async () => {
    const file = await kept('again')
    chmodSync(file, 0o644)
    const before = readFileSync(file, 'utf8')
    expect((await shop.run(['plan', '--json', '--out', 'again'])).stdout).toMatch(/^\{\n {2}"cluster"/)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readFileSync(file, 'utf8')).not.toBe(before)

    writeFileSync(shop.file('letters'), 'a\n')
    mkdirSync(shop.file('folder'))
    symlinkSync(shop.file('nowhere'), shop.file('dangling'))
    for (const [name, what] of [
      ['letters', 'holds something else than a plan of Maestra'],
      ['maestra.yaml', 'holds something else than a plan of Maestra'],
      ['folder', 'is a directory'],
      ['dangling', 'is a link to nothing'],
      ['/dev/null', 'is no file'],
    ] as const) {
      const run = await shop.run(['plan', '--out', name])
      expect(run).toMatchObject({ code: 2, stdout: '' })
      expect(run.stderr).toContain(`${what}, so no plan is written there\nTry: `)
    }
    expect(readFileSync(shop.file('letters'), 'utf8')).toBe('a\n')
    expect(existsSync(shop.file('nowhere'))).toBe(false)
  })

  it('is not kept when it is refused', async () => {
    shop.declare({ cluster: 'store', nodes: ['db1', 'db2'] })
    const run = await shop.run(['plan', '--out', 'refused'])
    expect(run).toMatchObject({ code: 1, stderr: '' })
    expect(run.stdout).toContain(`the plan is refused, so nothing was written to ${shop.file('refused')}\n`)
    expect(existsSync(shop.file('refused'))).toBe(false)
    declare('work_mem: 16MB')
  })

  it('is refused in one line where there is no plan that can be read', async () => {
    const text = readFileSync(await kept('sound'), 'utf8')
    writeFileSync(shop.file('short'), text.slice(0, 300))
    for (const [name, message] of [
      ['absent', 'cannot read the plan file .*absent: it is not there'],
      ['folder', 'cannot read the plan file .*folder: it is a directory'],
      ['maestra.yaml', '.*maestra.yaml is no plan file of Maestra'],
      ['short', '.*short is cut off or damaged: it is no JSON'],
    ] as const) {
      const run = await shop.run(['apply', name])
      expect(run).toMatchObject({ code: 2, stdout: '' })
      expect(run.stderr).toMatch(new RegExp(`^Error: ${message}\nTry: .*\n$`))
    }
  })
})
