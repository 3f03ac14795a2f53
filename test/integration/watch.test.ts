import { stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ClusterFolder } from '../harness/cluster-folder.js'
import { bin, hasTerminal, startMaestra, startOnTerminal } from '../harness/maestra.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

let workspace: Workspace
/** Nothing of it was made: its nodes are stopped. */
let shop: ClusterFolder

beforeAll(async () => {
  workspace = openWorkspace()
  shop = await ClusterFolder.open(workspace, 'shop', ['db1', 'db2'])
})

afterAll(() => workspace.remove())

const watch = ['status', '--watch', '--every', '0.05']

describe('status --watch', () => {
  it('prints one table after the other where there is no terminal, until it is stopped', async () => {
    const run = startMaestra(workspace, watch, { cwd: shop.directory })
    await run.prints(/(cluster shop[\s\S]*){3}/)
    run.signal('SIGINT')
    const { code, stdout, stderr } = await run.end()
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const [first, second] = stdout.split(/\n(?=cluster shop)/)
    expect(first).toMatch(/^cluster shop, primary none\n\nNODE .*\ndb1 .*\ndb2 [\s\S]*\n$/)
    expect(second).toBe(first)
  })

  it('prints one line of JSON for each look', async () => {
    const run = startMaestra(workspace, [...watch, '--json'], { cwd: shop.directory })
    await run.prints(/(\{.*\}\n){3}/)
    run.signal('SIGTERM')
    const { code, stdout } = await run.end()
    expect(code).toBe(0)
    const lines = stdout.trimEnd().split('\n')
    for (const line of lines) expect(JSON.parse(line)).toMatchObject({ cluster: 'shop', primary: null })
  })

  it('goes on with the file as it was when it began', async () => {
    const run = startMaestra(workspace, watch, { cwd: shop.directory })
    await run.prints(/cluster shop/)
    shop.write('nothing of worth')
    await run.prints(/(cluster shop[\s\S]*){4}/)
    shop.declare({ nodes: ['db1', 'db2'] })
    run.signal('SIGINT')
    expect(await run.end()).toMatchObject({ code: 0, stderr: '' })
  })

  it('ends with whoever reads it', async () => {
    const command = `cd "${shop.directory}" && "${process.execPath}" "${bin}" ${watch.join(' ')} 2>&1 | head -2`
    const { code, stdout } = await startOnTerminal(workspace, command).end()
    expect(code).toBe(0)
    expect(stdout.replaceAll('\r', '')).toBe('cluster shop, primary none\n\n')
  })

  it.each([
    [['--every', '5'], 'there is no --watch'],
    [['--watch', '--every', '0'], 'above 0'],
    [['--watch', '--every', 'day'], 'above 0'],
  ])('refuses %j', async (args, words) => {
    const run = await shop.run(['status', ...args])
    expect(run).toMatchObject({ code: 2, stdout: '' })
    expect(run.stderr).toContain(words)
  })
})

describe.runIf(hasTerminal)('status --watch on a terminal', () => {
  it('puts each table in the place of the one before, and Ctrl-C ends it', async () => {
    const command = `cd "${shop.directory}" && exec "${process.execPath}" "${bin}" ${watch.join(' ')}`
    const run = startOnTerminal(workspace, command)
    // The title, a blank line, the header, two nodes, and what is said of them below.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they move the cursor
    await run.prints(/(\u001b\[8A\u001b\[Jcluster shop[\s\S]*){2}/)
    run.type('\u0003')
    const { code, stdout } = await run.end()
    expect(code).toBe(0)
    expect(stripVTControlCharacters(stdout)).toContain('cluster shop, primary none')
  })
})
